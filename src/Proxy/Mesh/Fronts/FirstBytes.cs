namespace Weft.Proxy.Mesh.Fronts;

internal enum Spoken
{
    /// <summary>More bytes are needed.</summary>
    Unknown,
    Http,
    Tls,
    /// <summary>Neither, or the client waits for the server to speak.</summary>
    Other,
}

/// <summary>What a client speaks, by what it says first.</summary>
internal static class FirstBytes
{
    /// <summary>So many bytes tell it.</summary>
    public const int Enough = 32;

    // The longest registered method is UPDATEREDIRECTREF.
    private const int LongestMethod = 20;

    public static Spoken Of(ReadOnlySpan<byte> data)
    {
        if (data.IsEmpty)
            return Spoken.Unknown;
        // A record of a handshake, of version 3.x (RFC 8446 section 5.1).
        if (data[0] == 22)
            return data.Length < 2 ? Spoken.Unknown : data[1] == 3 ? Spoken.Tls : Spoken.Other;
        var method = data.IndexOfAnyExceptInRange((byte)'A', (byte)'Z');
        if (method < 0)
            return data.Length > LongestMethod ? Spoken.Other : Spoken.Unknown;
        if (method == 0 || method > LongestMethod || (data[method] is not ((byte)' ' or (byte)'-' or (byte)'_')))
            return Spoken.Other;
        var space = data.IndexOf((byte)' ');
        if (space < 0)
            return data.Length > LongestMethod ? Spoken.Other : Spoken.Unknown;
        var target = data[(space + 1)..];
        if (target.IsEmpty)
            return Spoken.Unknown;
        // RFC 9112 section 3.2: a path, `*`, an address with its scheme, or of CONNECT an authority. Commands of other protocols (`SET key`, `EHLO host`) have none of these.
        if (target[0] is (byte)'/' or (byte)'*' || data[..space].SequenceEqual("CONNECT"u8))
            return Spoken.Http;
        var known = Math.Min(target.Length, 4);
        return !target[..known].SequenceEqual("http"u8[..known]) ? Spoken.Other : known < 4 ? Spoken.Unknown : Spoken.Http;
    }
}
