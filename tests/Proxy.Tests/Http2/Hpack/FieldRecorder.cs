using System.Text;
using Weft.Proxy.Http2.Hpack;

namespace Weft.Proxy.Tests.Http2.Hpack;

/// <summary>Writes down what a block holds: `name: value`, with a `!` in front when it is never indexed.</summary>
internal sealed class FieldRecorder : FieldSink
{
    public List<string> Fields { get; } = [];

    public override void OnField(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, FieldInfo info, bool neverIndexed) =>
        Fields.Add($"{(neverIndexed ? "!" : "")}{Encoding.Latin1.GetString(name)}: {Encoding.Latin1.GetString(value)}");

    public static string[] Decode(HpackDecoder decoder, byte[] block)
    {
        var recorder = new FieldRecorder();
        Assert.Equal(DecodeResult.Done, decoder.Decode(block, recorder, 1 << 20));
        return [.. recorder.Fields];
    }
}
