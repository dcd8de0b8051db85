"""The HTTP face. The only package that knows Flask and gunicorn."""
