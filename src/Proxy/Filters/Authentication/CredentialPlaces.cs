using System.Buffers;
using System.Text;
using Weft.Proxy.Filters.Jwt;
using Weft.Proxy.Http;
using Weft.Proxy.Routing.Matching;

namespace Weft.Proxy.Filters.Authentication;

/// <summary>Takes credentials off a request where they were looked for. It takes more than the search finds (names with escapes, odd blanks): the endpoint must not read what nobody checked.</summary>
internal sealed class CredentialPlaces(IEnumerable<TokenLocations> locations)
{
    private readonly (byte[] Name, byte[] Scheme)[] _headers =
        [.. locations.SelectMany(l => l.Headers).Distinct().Select(h => (Encoding.ASCII.GetBytes(h.Header), Encoding.ASCII.GetBytes(h.Prefix.TrimEnd(' '))))];

    private readonly byte[][] _query = [.. locations.SelectMany(l => l.QueryParameters).Distinct().Select(Encoding.UTF8.GetBytes)];
    private readonly byte[][] _cookies = [.. locations.SelectMany(l => l.Cookies).Distinct().Select(Encoding.UTF8.GetBytes)];

    public void RemoveFrom(ExchangeContext context)
    {
        var headers = context.Request.Headers;
        for (var i = headers.Count - 1; i >= 0; i--)
        {
            if (headers.Known(i) == KnownHeader.Cookie)
                RemoveCookies(context, i);
            else if (IsCredential(headers.Name(i), headers.Value(i)))
                headers.RemoveAt(i);
        }

        RemoveQuery(context);
    }

    /// <summary>For the record of the request as well, which has the target.</summary>
    public void RemoveQuery(ExchangeContext context)
    {
        var path = context.Facts.Path;
        if (_query.Length == 0 || !path.HasQuery || path.Path.IsEmpty)
            return;
        var buffer = context.Buffer;
        buffer.ResetWrittenCount();
        foreach (var parameter in new QueryParameters(path.Query))
        {
            if (!IsOneOf(_query, parameter))
                Append(buffer, buffer.WrittenCount == 0 ? "?"u8 : "&"u8, parameter.Whole);
        }

        path.Set(path.Path, buffer.WrittenSpan);
        context.Request.Target = path.Target;
    }

    private bool IsCredential(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        foreach (var (own, scheme) in _headers)
        {
            if (name.SequenceEqual(own) && value.Length >= scheme.Length && System.Text.Ascii.EqualsIgnoreCase(value[..scheme.Length], scheme))
                return true;
        }

        return false;
    }

    private void RemoveCookies(ExchangeContext context, int index)
    {
        if (_cookies.Length == 0)
            return;
        var (headers, buffer) = (context.Request.Headers, context.Buffer);
        buffer.ResetWrittenCount();
        var rest = headers.Value(index);
        while (!rest.IsEmpty)
        {
            var end = rest.IndexOf((byte)';');
            var pair = (end < 0 ? rest : rest[..end]).Trim((byte)' ');
            rest = end < 0 ? default : rest[(end + 1)..];
            var equals = pair.IndexOf((byte)'=');
            if (!IsOneOf(_cookies, equals < 0 ? pair : pair[..equals]))
                Append(buffer, buffer.WrittenCount == 0 ? ""u8 : "; "u8, pair);
        }

        if (buffer.WrittenCount == 0)
            headers.RemoveAt(index);
        else
            headers.SetValue(index, buffer.WrittenSpan);
    }

    private static bool IsOneOf(byte[][] names, ReadOnlySpan<byte> name)
    {
        foreach (var own in names)
        {
            if (name.SequenceEqual(own))
                return true;
        }

        return false;
    }

    private static bool IsOneOf(byte[][] names, QueryParameter parameter)
    {
        foreach (var own in names)
        {
            if (parameter.NameIs(own))
                return true;
        }

        return false;
    }

    private static void Append(ArrayBufferWriter<byte> buffer, ReadOnlySpan<byte> before, ReadOnlySpan<byte> text)
    {
        buffer.Write(before);
        buffer.Write(text);
    }
}
