using System.Net;
using System.Text;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Filters.Headers;
using Weft.Proxy.Http;
using Weft.Proxy.Routing.Matching;
using Weft.Proxy.Tls;

namespace Weft.Proxy.Filters.Edge;

/// <summary>
/// What is done to each request of a listener before a route is looked for: path and host brought into form, fields that a client must not choose taken off, the client's address found, X-Forwarded-*
/// written for those behind.
/// </summary>
/// <param name="passes">Within the mesh: what is said of who forwarded the request is left as it is, and nothing is added; only of a trusted connection it is believed.</param>
/// <param name="names">Whose names those of the listener are; null: one kind of TLS for all.</param>
internal sealed class EdgeStage(HttpSettings settings, bool passes = false, TlsNames? names = null)
{
    // What the client says of who forwarded it is believed from trusted proxies alone. Forwarded (RFC 7239) would say it a second way, so it goes in any case.
    private static readonly HeaderNames Forwarding = new(["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-forwarded-port", "x-forwarded-server", "x-real-ip", "forwarded"]);

    private readonly HeaderNames _strip = new(settings.StripHeaders);
    private readonly AddressRanges _trusted = new(settings.TrustedProxies);

    public FilterVerdict Enter(ExchangeContext context)
    {
        var facts = context.Facts;
        if (facts.Normalize(settings.Path) is { } reason)
            return context.Respond(400, reason, "bad request\n");
        if (settings.MatchServerName && IsMisdirected(context))
            return context.Respond(421, "server_name_mismatch", "this connection was made for another host\n");
        // RFC 9113 section 9.1.1 lets clients take a connection for each name that its certificate has: also for one that it could not have been made for.
        if (names is not null && !names.MayServe(facts.Host.Name, context.Connection.TlsRules))
            return context.Respond(421, "tls_rules_mismatch", "this connection was made for another host\n");
        context.MaxRequestBytes = settings.MaxRequestBytes;
        var connection = context.Connection;
        var headers = context.Request.Headers;
        // From trusted proxies, too: they are believed who forwarded what, and pass on whatever else their clients said.
        _strip.RemoveFrom(headers);
        if (passes)
        {
            facts.ClientAddress = connection.IsTrustedProxy ? ClientAddress(headers) ?? connection.Source.Address : connection.Source.Address;
            return FilterVerdict.Continue;
        }

        if (connection.IsTrustedProxy || (!_trusted.IsEmpty && _trusted.Contains(connection.Source.Address)))
        {
            facts.ClientAddress = ClientAddress(headers) ?? connection.Source.Address;
            Append(headers, connection.SourceText);
            headers.Remove("forwarded"u8);
        }
        else
        {
            facts.ClientAddress = connection.Source.Address;
            Forwarding.RemoveFrom(headers);
            headers.Add("x-forwarded-for"u8, connection.SourceText);
        }

        if (!headers.Has(KnownHeader.XForwardedProto))
            headers.Add("x-forwarded-proto"u8, context.Request.Scheme);
        if (!headers.Has(KnownHeader.XForwardedHost))
            headers.Add("x-forwarded-host"u8, facts.Host.Authority);
        return FilterVerdict.Continue;
    }

    // RFC 9110 section 7.4: connections are reused across names (RFC 9113 section 9.1.1), and a certificate asked for one must not open another.
    private static bool IsMisdirected(ExchangeContext context)
    {
        if (context.Connection is not { HasClientCertificates: true, ServerName: { } name })
            return false;
        Span<byte> bytes = stackalloc byte[Routing.RequestHost.MaxLength];
        return !Encoding.ASCII.TryGetBytes(name, bytes, out var length) || !context.Facts.Host.Name.SequenceEqual(bytes[..length]);
    }

    // From the right: the last entries were written by proxies that are trusted; the first that was not is the client, and all before it is only said.
    private IPAddress? ClientAddress(HeaderList headers)
    {
        IPAddress? client = null;
        for (var i = headers.Count - 1; i >= 0; i--)
        {
            if (headers.Known(i) != KnownHeader.XForwardedFor)
                continue;
            var rest = headers.Value(i);
            while (!rest.IsEmpty)
            {
                var comma = rest.LastIndexOf((byte)',');
                if (!TryAddress(rest[(comma + 1)..].Trim((byte)' '), out var address))
                    return client;
                client = address;
                if (!_trusted.Contains(address))
                    return client;
                rest = comma < 0 ? default : rest[..comma];
            }
        }

        return client;
    }

    private static bool TryAddress(ReadOnlySpan<byte> text, out IPAddress address)
    {
        Span<char> chars = stackalloc char[64];
        address = IPAddress.None;
        if (text.Length > chars.Length)
            return false;
        Encoding.Latin1.GetChars(text, chars);
        var found = IPAddress.TryParse(chars[..text.Length], out var parsed);
        address = parsed ?? IPAddress.None;
        return found;
    }

    private static void Append(HeaderList headers, ReadOnlySpan<byte> source)
    {
        var last = -1;
        for (var i = headers.IndexOf(KnownHeader.XForwardedFor); i >= 0; i = headers.IndexOf(KnownHeader.XForwardedFor, i + 1))
            last = i;
        if (last < 0)
            headers.Add("x-forwarded-for"u8, source);
        else
            headers.SetValue(last, (byte[])[.. headers.Value(last), .. ", "u8, .. source]);
    }
}
