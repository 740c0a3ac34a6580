using System.Buffers;
using System.Buffers.Text;

namespace Weft.Jose;

/// <summary>base64url of RFC 7515: no padding, no white space, and one spelling for each byte string.</summary>
internal static class StrictBase64Url
{
    private static readonly SearchValues<char> Alphabet =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

    internal static byte[]? Decode(ReadOnlySpan<char> text)
    {
        if (text.ContainsAnyExcept(Alphabet) || text.Length % 4 == 1)
            return null;
        var bytes = new byte[text.Length / 4 * 3 + Math.Max(0, text.Length % 4 - 1)];
        if (Base64Url.DecodeFromChars(text, bytes, out _, out var written) != OperationStatus.Done || written != bytes.Length)
            return null;
        // Leftover bits of the last character must be zero: else one signature would have several spellings.
        return Base64Url.EncodeToString(bytes).AsSpan().SequenceEqual(text) ? bytes : null;
    }

    internal static string Encode(ReadOnlySpan<byte> bytes) => Base64Url.EncodeToString(bytes);
}
