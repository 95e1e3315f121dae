"""The web page: its server, access control, protocol and browser code."""
