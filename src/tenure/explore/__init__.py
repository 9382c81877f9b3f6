"""The schedule explorer: visits every schedule of a model and says holds, broken or unfinished."""
