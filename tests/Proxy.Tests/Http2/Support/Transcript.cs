using System.Buffers.Binary;
using System.Text;
using Weft.Proxy.Http2.Frames;
using Weft.Proxy.Http2.Hpack;
using Weft.Proxy.Tests.Http2.Hpack;

namespace Weft.Proxy.Tests.Http2.Support;

/// <summary>What one side has sent, a line for each frame.</summary>
internal sealed class Transcript
{
    private readonly HpackDecoder _decoder = new();
    private readonly List<byte> _bytes = [];
    private readonly List<byte> _block = [];
    private bool _preface;

    public List<string> Lines { get; } = [];

    /// <summary>Without SETTINGS and the window of the connection, which every connection begins with.</summary>
    public string Text => string.Join("; ", Lines.Where(line => !line.StartsWith("SETTINGS", StringComparison.Ordinal) && !line.StartsWith("WINDOW_UPDATE 0", StringComparison.Ordinal)));

    public void Add(ReadOnlySpan<byte> bytes)
    {
        _bytes.AddRange(bytes);
        if (!_preface && _bytes.Count >= 24 && _bytes[0] == 'P')
            _bytes.RemoveRange(0, 24);
        while (_bytes.Count >= 9)
        {
            _preface = true;
            var all = _bytes.ToArray();
            var header = FrameHeader.Read(all);
            if (all.Length < 9 + header.Length)
                return;
            Lines.Add(Line(header, all.AsSpan(9, header.Length)));
            _bytes.RemoveRange(0, 9 + header.Length);
        }
    }

    private string Line(FrameHeader header, ReadOnlySpan<byte> payload)
    {
        var end = header.Has(FrameFlags.EndStream) ? " end" : "";
        switch (header.Type)
        {
            case FrameType.Data:
                return $"DATA {header.StreamId} {Encoding.Latin1.GetString(payload)}{end}";
            case FrameType.Headers or FrameType.Continuation:
                _block.AddRange(payload);
                if (!header.Has(FrameFlags.EndHeaders))
                    return $"{header.Type} {header.StreamId}{end} ...";
                var fields = FieldRecorder.Decode(_decoder, [.. _block]);
                _block.Clear();
                return $"HEADERS {header.StreamId} {string.Join(", ", fields)}{(header.Type == FrameType.Headers ? end : "")}";
            case FrameType.RstStream:
                return $"RST {header.StreamId} {(ErrorCode)BinaryPrimitives.ReadUInt32BigEndian(payload)}";
            case FrameType.GoAway:
                return $"GOAWAY {BinaryPrimitives.ReadInt32BigEndian(payload)} {(ErrorCode)BinaryPrimitives.ReadUInt32BigEndian(payload[4..])}";
            case FrameType.WindowUpdate:
                return $"WINDOW_UPDATE {header.StreamId} {BinaryPrimitives.ReadUInt32BigEndian(payload)}";
            case FrameType.Settings or FrameType.Ping:
                return $"{header.Type.ToString().ToUpperInvariant()}{(header.Has(FrameFlags.Ack) ? " ack" : "")}";
            default:
                return $"{header.Type} {header.StreamId}";
        }
    }
}
