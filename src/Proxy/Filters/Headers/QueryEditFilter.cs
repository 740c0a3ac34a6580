using System.Buffers;
using System.Text;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Routing;
using Weft.Proxy.Routing.Matching;

namespace Weft.Proxy.Filters.Headers;

/// <summary>What is not named stays as it was sent, byte for byte.</summary>
internal sealed class QueryEditFilter(QueryFilter config) : RequestFilter
{
    private readonly byte[][] _gone = [.. config.Remove.Concat(config.Set.Select(s => s.Name)).Select(Encoding.UTF8.GetBytes)];
    private readonly byte[][] _new = [.. config.Set.Concat(config.Add).Select(p => Encoding.ASCII.GetBytes($"{PercentCode.Encode(p.Name)}={PercentCode.Encode(p.Value)}"))];

    public override FilterVerdict OnRequest(ExchangeContext context)
    {
        var path = context.Facts.Path;
        var buffer = context.Buffer;
        buffer.ResetWrittenCount();
        foreach (var parameter in new QueryParameters(path.Query))
        {
            if (!IsGone(parameter))
                Append(buffer, parameter.Whole);
        }

        foreach (var parameter in _new)
            Append(buffer, parameter);
        path.Set(path.Path, buffer.WrittenSpan);
        if (!path.Path.IsEmpty)
            context.Request.Target = path.Target;
        return FilterVerdict.Continue;
    }

    private bool IsGone(QueryParameter parameter)
    {
        foreach (var name in _gone)
        {
            if (parameter.NameIs(name))
                return true;
        }

        return false;
    }

    private static void Append(ArrayBufferWriter<byte> buffer, ReadOnlySpan<byte> parameter)
    {
        buffer.Write(buffer.WrittenCount == 0 ? "?"u8 : "&"u8);
        buffer.Write(parameter);
    }
}
