using Weft.Proxy.Http;

namespace Weft.Proxy.Forwarding;

/// <summary>When an exchange stops being a request and becomes bytes in both directions.</summary>
internal static class Tunnels
{
    /// <summary>
    /// 101 to an upgrade (extended CONNECT is one, the codecs say), 2xx to CONNECT (RFC 9110 section 9.3.6). Another answer to an upgrade is an answer: a server may ignore the wish (section 7.8).
    /// </summary>
    public static bool Opens(RequestHead request, int status) =>
        status == 101 || (status is >= 200 and < 300 && request.Upgrade.IsEmpty && request.Method.SequenceEqual("CONNECT"u8));
}
