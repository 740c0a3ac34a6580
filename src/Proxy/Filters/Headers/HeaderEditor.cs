using System.Text;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Http;

namespace Weft.Proxy.Filters.Headers;

/// <summary>Compiled <see cref="HeaderEdits"/>.</summary>
internal sealed class HeaderEditor
{
    private readonly HeaderNames _remove;
    private readonly (byte[] Name, ValueTemplate Value)[] _set;
    private readonly (byte[] Name, ValueTemplate Value)[] _add;

    private HeaderEditor(HeaderEdits edits)
    {
        _remove = new(edits.Remove);
        _set = [.. edits.Set.Select(Compile)];
        _add = [.. edits.Add.Select(Compile)];
    }

    /// <summary>Null: nothing to do.</summary>
    public static HeaderEditor? Of(HeaderEdits edits) => edits.IsNone ? null : new(edits);

    public void EditRequest(ExchangeContext context) => Edit(context, context.Request.Headers, isRequest: true);

    public void EditResponse(ExchangeContext context) => Edit(context, context.Response.Headers, isRequest: false);

    private void Edit(ExchangeContext context, HeaderList headers, bool isRequest)
    {
        _remove.RemoveFrom(headers);
        foreach (var (name, value) in _set)
        {
            var text = value.Write(context, context.Buffer);
            // Host is kept beside the fields: the one for the endpoint.
            if (isRequest && name.AsSpan().SequenceEqual("host"u8))
                context.Request.Authority = text;
            else
                headers.Set(name, text);
        }

        foreach (var (name, value) in _add)
            headers.Add(name, value.Write(context, context.Buffer));
    }

    private static (byte[] Name, ValueTemplate Value) Compile(HeaderValue header)
    {
        var name = header.Name.ToLowerInvariant();
        return (Encoding.ASCII.GetBytes(name == ":authority" ? "host" : name), ValueTemplate.Parse(header.Value));
    }
}
