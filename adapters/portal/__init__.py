"""The portal's files: what the ledger knows, as CSV and JSON that a page or a spreadsheet can read."""

from adapters.portal.manifest import ManifestIdentity, read_manifest
from adapters.portal.schema import FILES, MANIFEST, OutputFile
from adapters.portal.writer import PortalFiles

__all__ = ["FILES", "MANIFEST", "ManifestIdentity", "OutputFile", "PortalFiles", "read_manifest"]
