"""What an operator sees of a running pipeline: metrics, a dashboard, a log; all of it made from the books."""
