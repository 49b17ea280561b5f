"""The dashboard's response headers, the same at nginx and at CloudFront."""

# No inline script or style, nothing from elsewhere, in no frame; strings never become HTML or code.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        # A preview plays from memory.
        "media-src 'self' blob:",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
# Previews play, also in full screen, and addresses of ingests are copied.
USED = ("autoplay", "clipboard-write", "fullscreen", "picture-in-picture")
UNUSED = (
    "accelerometer",
    "browsing-topics",
    "camera",
    "clipboard-read",
    "display-capture",
    "encrypted-media",
    "gamepad",
    "geolocation",
    "gyroscope",
    "hid",
    "idle-detection",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "publickey-credentials-get",
    "screen-wake-lock",
    "serial",
    "usb",
    "xr-spatial-tracking",
)
PERMISSIONS_POLICY = ", ".join([f"{name}=(self)" for name in USED] + [f"{name}=()" for name in UNUSED])
# Beside those of every response.
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": PERMISSIONS_POLICY,
}
# The name of a hashed file changes with its content. The page names them, so browsers ask for it each time.
ASSET_CACHE_CONTROL = "public, max-age=31536000, immutable"
PAGE_CACHE_CONTROL = "no-cache"


def header_directives() -> str:
    """Return nginx's directives that add these headers."""
    return "\n".join(f'add_header {name} "{value}" always;' for name, value in HEADERS.items())
