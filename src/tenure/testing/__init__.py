"""What a test suite needs: a test that leaks fails, itself, with the line that opened the leak."""
