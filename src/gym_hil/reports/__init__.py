"""Reports: charts, self-contained HTML pages, and videos."""
