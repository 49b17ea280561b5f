"""HLS playlists of pulled sources, as the egress proxy reads and changes them."""
