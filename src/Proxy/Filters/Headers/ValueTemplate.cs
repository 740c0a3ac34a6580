using System.Buffers;
using System.Text;

namespace Weft.Proxy.Filters.Headers;

/// <summary>A field value with `%NAME%` in it, compiled. What a request puts in cannot end the field: control characters are left out.</summary>
internal sealed class ValueTemplate
{
    private readonly byte[]? _fixed;
    private readonly Part[] _parts;

    private ValueTemplate(IReadOnlyList<Part> parts)
    {
        _parts = [.. parts];
        _fixed = parts.All(p => p.Kind == PartKind.Text) ? [.. parts.SelectMany(p => p.Text)] : null;
    }

    private enum PartKind { Text, ClientAddress, ClientIdentity, Host, Method, Path, Scheme, Route, ServerName, RequestHeader }

    /// <exception cref="ArgumentException">Something between percent signs is not known.</exception>
    public static ValueTemplate Parse(string text)
    {
        var parts = new List<Part>();
        for (var at = 0; at < text.Length;)
        {
            var percent = text.IndexOf('%', at);
            var end = percent < 0 ? -1 : text.IndexOf('%', percent + 1);
            if (percent >= 0 && end < 0)
                throw new ArgumentException($"'{text}' has a single percent sign; `%%` writes one");
            parts.Add(new(PartKind.Text, Encoding.UTF8.GetBytes(percent < 0 ? text[at..] : text[at..percent])));
            if (percent < 0)
                break;
            parts.Add(Named(text[(percent + 1)..end]));
            at = end + 1;
        }

        return new(parts);
    }

    /// <param name="buffer">Takes the value where it is not the same for all requests.</param>
    public ReadOnlySpan<byte> Write(ExchangeContext context, ArrayBufferWriter<byte> buffer)
    {
        if (_fixed is not null)
            return _fixed;
        buffer.ResetWrittenCount();
        foreach (var part in _parts)
        {
            if (part.Kind == PartKind.Text)
                buffer.Write(part.Text);
            else
                WriteClean(Value(part, context), buffer);
        }

        return buffer.WrittenSpan;
    }

    private static ReadOnlySpan<byte> Value(Part part, ExchangeContext context) => part.Kind switch
    {
        PartKind.ClientAddress => Encoding.ASCII.GetBytes(context.Facts.ClientAddress.ToString()),
        PartKind.ClientIdentity => Encoding.UTF8.GetBytes(context.Identity?.Principal ?? context.Connection.Identity ?? ""),
        PartKind.Host => context.Facts.Host.Authority,
        PartKind.Method => context.Request.Method,
        PartKind.Path => context.Facts.Path.Path,
        PartKind.Scheme => context.Request.Scheme,
        PartKind.Route => Encoding.UTF8.GetBytes(context.Route?.Name ?? ""),
        PartKind.ServerName => Encoding.UTF8.GetBytes(context.Connection.ServerName ?? ""),
        _ => context.Request.Headers.IndexOf(part.Text) is var index and >= 0 ? context.Request.Headers.Value(index) : default,
    };

    private static void WriteClean(ReadOnlySpan<byte> value, ArrayBufferWriter<byte> buffer)
    {
        foreach (var c in value)
        {
            if (c is >= 0x20 and not 0x7F)
                buffer.Write([c]);
        }
    }

    private static Part Named(string name) => name switch
    {
        "" => new(PartKind.Text, "%"u8.ToArray()),
        "CLIENT_ADDRESS" => new(PartKind.ClientAddress, []),
        "CLIENT_IDENTITY" => new(PartKind.ClientIdentity, []),
        "HOST" => new(PartKind.Host, []),
        "METHOD" => new(PartKind.Method, []),
        "PATH" => new(PartKind.Path, []),
        "SCHEME" => new(PartKind.Scheme, []),
        "ROUTE" => new(PartKind.Route, []),
        "SERVER_NAME" => new(PartKind.ServerName, []),
        _ when name.StartsWith("REQ(", StringComparison.Ordinal) && name.EndsWith(')') => new(PartKind.RequestHeader, Encoding.ASCII.GetBytes(name[4..^1].ToLowerInvariant())),
        _ => throw new ArgumentException($"'%{name}%' is not known; there are CLIENT_ADDRESS, CLIENT_IDENTITY, HOST, METHOD, PATH, SCHEME, ROUTE, SERVER_NAME, REQ(name)"),
    };

    private readonly record struct Part(PartKind Kind, byte[] Text);
}
