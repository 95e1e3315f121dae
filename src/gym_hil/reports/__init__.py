"""Reports that people read: charts, HTML pages that need no network, and videos."""
