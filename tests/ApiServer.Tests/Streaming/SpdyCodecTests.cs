using System.Buffers;
using System.Buffers.Binary;
using Weft.ApiServer.Streaming.Spdy;

namespace Weft.ApiServer.Tests.Streaming;

public sealed class SpdyCodecTests
{
    private static readonly SpdyHeaders Stdin = new(new Dictionary<string, string> { ["streamtype"] = "stdin" });
    private static readonly SpdyHeaders Data = new(new Dictionary<string, string> { ["streamtype"] = "data", ["port"] = "8080", ["requestid"] = "7" });

    [Fact]
    public void The_dictionary_is_that_of_the_draft()
    {
        uint a = 1, b = 0;
        foreach (var value in SpdyDictionary.Bytes)
        {
            a = (a + value) % 65521;
            b = (b + a) % 65521;
        }

        Assert.Equal(1423, SpdyDictionary.Bytes.Length);
        Assert.Equal(0xe3c6a7c2u, (b << 16) | a);
    }

    [Fact]
    public void Frames_survive_the_wire_split_at_every_position()
    {
        var wire = Sample();
        var whole = Describe(wire, wire.Length);
        Assert.Equal(
            [
                "syn 1 streamtype=stdin", "reply 1", "syn 3 fin streamtype=data port=8080 requestid=7", "1:h", "1:i", "1:fin", "reset 3 Cancel",
                "settings 65536", "ping 5", "window 1 +7", "goaway 3", "3:b", "3:y", "3:e", "3:fin",
            ],
            whole);
        for (var split = 1; split < wire.Length; split++)
            Assert.Equal(whole, Describe(wire, split));
        Assert.Equal(whole, Describe(wire, chunk: 1, everyChunk: true));
        Assert.Equal(whole, Describe(wire, chunk: 7, everyChunk: true));
    }

    [Fact]
    public void Mutated_bytes_end_in_frames_or_a_protocol_error_and_nothing_else()
    {
        var random = new Random(20261120);
        var sample = Sample();
        for (var round = 0; round < 20_000; round++)
        {
            var wire = (byte[])sample.Clone();
            for (var i = random.Next(1, 5); i > 0; i--)
                wire[random.Next(wire.Length)] = (byte)random.Next(256);
            try
            {
                Describe(wire, random.Next(1, wire.Length));
            }
            catch (SpdyException)
            {
                // What a mutation should mostly come to.
            }
        }
    }

    [Fact]
    public void Random_header_blocks_never_do_worse_than_a_protocol_error()
    {
        var random = new Random(7);
        var block = new byte[256];
        for (var round = 0; round < 20_000; round++)
        {
            var length = random.Next(block.Length);
            random.NextBytes(block);
            // Small numbers where lengths stand, so that parsing gets further than the first field.
            for (var i = 0; i + 4 <= length; i += 4)
            {
                if (random.Next(3) != 0)
                    BinaryPrimitives.WriteInt32BigEndian(block.AsSpan(i), random.Next(6));
            }

            try
            {
                HeaderDecompressor.Parse(block.AsSpan(0, length));
            }
            catch (SpdyException)
            {
                // Refused.
            }
        }
    }

    [Fact]
    public void A_header_block_that_grows_beyond_the_limit_is_refused()
    {
        using var compressor = new HeaderCompressor();
        using var decompressor = new HeaderDecompressor();
        var bomb = compressor.Write(new SpdyHeaders(new Dictionary<string, string> { ["a"] = new('x', 1 << 20) }));

        Assert.True(bomb.Length < SpdyLimits.MaxHeaderBytes);
        Assert.Contains("larger than", Assert.Throws<SpdyException>(() => decompressor.Read(bomb)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_control_frame_beyond_the_limit_is_refused_before_its_body_arrives()
    {
        using var reader = new SpdyFrameReader();
        var input = new ReadOnlySequence<byte>([0x80, 3, 0, 1, 0, 0xff, 0xff, 0xff]);

        Assert.Throws<SpdyException>(() => reader.TryRead(ref input, out _));
    }

    [Theory]
    [InlineData("8002000100000000")] // version 2
    [InlineData("0000000000000000")] // data on stream 0
    [InlineData("800300030000000400000001")] // RST_STREAM too short
    [InlineData("800300040000000c0000000200000007000000ff")] // SETTINGS: count and size differ
    [InlineData("80030009000000080000000100000000")] // WINDOW_UPDATE by 0
    [InlineData("80030001000000030000000000")] // SYN_STREAM too short
    [InlineData("80030006000000020000000000")] // PING too short
    public void Malformed_frames_are_a_protocol_error(string hex)
    {
        using var reader = new SpdyFrameReader();
        var input = new ReadOnlySequence<byte>(Convert.FromHexString(hex));

        Assert.Throws<SpdyException>(() => reader.TryRead(ref input, out _));
    }

    [Fact]
    public void Unknown_frame_types_are_skipped()
    {
        using var reader = new SpdyFrameReader();
        var input = new ReadOnlySequence<byte>(Convert.FromHexString("8003000b00000002ffff" + "800300060000000400000005"));

        Assert.True(reader.TryRead(ref input, out var first));
        Assert.IsType<SpdyFrame.Unknown>(first);
        Assert.True(reader.TryRead(ref input, out var second));
        Assert.Equal(new SpdyFrame.Ping(5), second);
    }

    [Fact]
    public void Many_blocks_share_one_compression_context()
    {
        using var compressor = new HeaderCompressor();
        using var decompressor = new HeaderDecompressor();
        for (var i = 0; i < 1000; i++)
        {
            var sent = new SpdyHeaders(new Dictionary<string, string> { ["requestid"] = i.ToString(), ["streamtype"] = "error" });
            var block = compressor.Write(sent);

            Assert.Equal(sent.All, decompressor.Read(block).All);
        }
    }

    private static byte[] Sample()
    {
        using var writer = new SpdyFrameWriter();
        using var wire = new MemoryStream();
        wire.Write(writer.SynStream(1, Stdin, fin: false));
        wire.Write(writer.SynReply(1, SpdyHeaders.None));
        wire.Write(writer.SynStream(3, Data, fin: true));
        WriteData(wire, 1, "hi", fin: false);
        WriteData(wire, 1, "", fin: true);
        wire.Write(SpdyFrameWriter.Reset(3, SpdyReset.Cancel));
        wire.Write(SpdyFrameWriter.InitialWindow(65536));
        wire.Write(SpdyFrameWriter.Ping(5));
        wire.Write(SpdyFrameWriter.WindowUpdate(1, 7));
        wire.Write(SpdyFrameWriter.GoAway(3, 0));
        WriteData(wire, 3, "bye", fin: true);
        return wire.ToArray();
    }

    private static void WriteData(MemoryStream wire, int stream, string text, bool fin)
    {
        var frame = new byte[SpdyFrameWriter.DataHeaderSize];
        SpdyFrameWriter.DataHeader(frame, stream, text.Length, fin);
        wire.Write(frame);
        wire.Write(System.Text.Encoding.ASCII.GetBytes(text));
    }

    /// <summary>The frames of the wire fed in two parts (or in many of the same size); data byte by byte, so that pieces do not show.</summary>
    private static List<string> Describe(byte[] wire, int chunk, bool everyChunk = false)
    {
        using var reader = new SpdyFrameReader();
        var frames = new List<string>();
        var start = 0;
        var end = 0;
        while (end < wire.Length)
        {
            end = everyChunk || end == 0 ? Math.Min(end + chunk, wire.Length) : wire.Length;
            var input = new ReadOnlySequence<byte>(wire, start, end - start);
            while (reader.TryRead(ref input, out var frame))
            {
                if (frame is not SpdyFrame.Data data)
                {
                    frames.Add(Describe(frame));
                    continue;
                }

                frames.AddRange(data.Bytes.ToArray().Select(value => $"{data.StreamId}:{(char)value}"));
                if (data.Fin)
                    frames.Add($"{data.StreamId}:fin");
            }

            start = end - (int)input.Length;
        }

        return frames;
    }

    private static string Describe(SpdyFrame frame) => frame switch
    {
        SpdyFrame.SynStream open => $"syn {open.StreamId}{(open.Fin ? " fin" : "")} {string.Join(' ', open.Headers.All.Select(h => $"{h.Key}={h.Value}"))}",
        SpdyFrame.SynReply reply => $"reply {reply.StreamId}",
        SpdyFrame.Reset reset => $"reset {reset.StreamId} {reset.Status}",
        SpdyFrame.Settings settings => $"settings {settings.InitialWindow}",
        SpdyFrame.Ping ping => $"ping {ping.Id}",
        SpdyFrame.WindowUpdate window => $"window {window.StreamId} +{window.Delta}",
        SpdyFrame.GoAway goAway => $"goaway {goAway.LastStreamId}",
        _ => frame.ToString(),
    };
}
