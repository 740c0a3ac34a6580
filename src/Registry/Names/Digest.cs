using System.Security.Cryptography;

namespace Weft.Registry.Names;

/// <summary>Name of content by what it is: sha256 alone, which every client speaks (OCI image-spec, descriptor.md).</summary>
public sealed record Digest
{
    private const string Prefix = "sha256:";

    private Digest(string hex) => Hex = hex;

    public string Hex { get; }

    public static Digest Of(ReadOnlySpan<byte> content) => FromHash(SHA256.HashData(content));

    public static Digest FromHash(ReadOnlySpan<byte> hash) => new(Convert.ToHexStringLower(hash));

    /// <summary>Null for anything but `sha256:` and 64 lower-case hexadecimal digits: it becomes a file name.</summary>
    public static Digest? TryParse(string? text) =>
        text is not null && text.Length == Prefix.Length + 64 && text.StartsWith(Prefix, StringComparison.Ordinal)
            && text.AsSpan(Prefix.Length).IndexOfAnyExcept("0123456789abcdef") < 0
            ? new(text[Prefix.Length..])
            : null;

    public override string ToString() => Prefix + Hex;
}
