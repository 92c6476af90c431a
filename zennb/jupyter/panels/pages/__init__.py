"""What panels show: the pages of the dashboard, the stack picker, and their browsers and forms."""
