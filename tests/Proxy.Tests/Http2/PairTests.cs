using System.Text;
using Weft.Proxy.Http;
using Weft.Proxy.Http2;
using Weft.Proxy.Http2.Frames;
using Weft.Proxy.Tests.Http2.Support;

namespace Weft.Proxy.Tests.Http2;

/// <summary>Client and server of ours against each other. WEFT_LONG=1 makes the seeds a hundred times as many.</summary>
public sealed class PairTests
{
    private static readonly int Rounds = Environment.GetEnvironmentVariable("WEFT_LONG") == "1" ? 100 : 1;

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 12 * Rounds)];

    /// <summary>Random lengths, windows, watermarks, cuts and pauses: every byte arrives once, in its order, and nothing is left open.</summary>
    [Theory]
    [MemberData(nameof(Seeds))]
    public void Random_messages_arrive_whole(int seed)
    {
        var random = new Random(seed);
        Http2Limits Limits() => new() { StreamWindow = random.Next(1, 40_000), ConnectionWindow = random.Next(65_535, 200_000), SendWatermark = random.Next(1, 30_000), IdleFrameBurst = int.MaxValue / 2000 };
        var paused = new List<RecordedRequest>();
        var exchanges = new Exchanges
        {
            OnRequest = request =>
            {
                if (random.Next(3) != 0)
                    return;
                request.Stream.PauseRequest();
                paused.Add(request);
            },
            OnEnd = request => new Sender(request.Body, request.Trailers.Count > 0, random).Respond(request),
        };
        var pair = new Pair(exchanges, Limits(), Limits(), high: random.Next(1, 100_000));
        var all = new List<(string Body, bool Trailers, RecordedResponse Response)>();
        for (var step = 0; step < 4000; step++)
        {
            if (all.Count < 60 && pair.Client.CanOpen && random.Next(4) == 0)
                all.Add(Begin(pair, random, paused));
            if (paused.Count > 0 && random.Next(5) == 0)
            {
                var request = paused[random.Next(paused.Count)];
                paused.Remove(request);
                request.Stream.ResumeRequest();
            }

            pair.Step(random);
        }

        paused.ForEach(request => request.Stream.ResumeRequest());
        pair.Run();
        Assert.Null(pair.Client.Fault);
        Assert.Null(pair.Server.Fault);
        Assert.Equal(60, all.Count);
        foreach (var (body, trailers, response) in all)
        {
            Assert.Null(response.Reset);
            Assert.True(response.Ended);
            Assert.Equal(body, response.Body);
            Assert.Equal(trailers ? ["t: 1"] : [], response.Trailers);
        }

        Assert.Equal(0, pair.Client.OpenStreams);
        Assert.Equal(0, pair.Server.OpenStreams);
    }

    /// <summary>Frames at random, most of them wrong: no exception, bounded output, and every request that was begun is ended.</summary>
    [Theory]
    [MemberData(nameof(Seeds))]
    public void Random_frames_never_throw(int seed)
    {
        var random = new Random(seed);
        for (var run = 0; run < 200; run++)
        {
            var server = new ServerSide(new() { OnEnd = request => request.Respond(200, "x") });
            var client = new ClientSide();
            var (_, response) = client.Request(RecordedResponse.Request("POST", length: -1), end: false);
            for (var i = 0; i < 60; i++)
            {
                server.Send(RandomFrame(random, Frame.Get));
                client.Send(RandomFrame(random, [(":status", "200")]));
                Assert.InRange(server.Transport.Output.Length, 0, 1 << 20);
            }

            if (server.Transport.IsClosed)
                Assert.All(server.Exchanges.All, request => Assert.True(request.Ended || request.Reset is not null));
            if (client.Transport.IsClosed)
                Assert.True(response.Ended || response.Reset is not null);
        }
    }

    /// <summary>A good conversation with some bytes changed.</summary>
    [Theory]
    [MemberData(nameof(Seeds))]
    public void Changed_bytes_never_throw(int seed)
    {
        var random = new Random(seed);
        byte[] good =
        [
            .. Frame.ClientPreface, .. Frame.Headers(1, true, Frame.Get), .. Frame.Headers(3, false, [.. Frame.Post, ("content-length", "4"), ("cookie", "a=1")]),
            .. Frame.WindowUpdate(0, 1000), .. Frame.Data(3, false, "ab"), .. Frame.Ping(), .. Frame.Data(3, true, "cd"), .. Frame.Reset(1),
            .. Frame.Headers(5, false, [.. Frame.Post]), .. Frame.Headers(5, true, ("t", "1")), .. Frame.GoAway(0),
        ];
        for (var run = 0; run < 1000; run++)
        {
            var bytes = good.ToArray();
            for (var i = random.Next(1, 6); i > 0; i--)
                bytes[random.Next(24, bytes.Length)] = (byte)(random.Next(2) == 0 ? random.Next(256) : 1 << random.Next(8));
            var server = new ServerSide(new() { OnEnd = request => request.Respond(200, "x") }, preface: false);
            server.Send(bytes);
            server.Connection.OnClosed();
            Assert.All(server.Exchanges.All, request => Assert.True(request.Ended || request.Reset is not null));
        }
    }

    private static (string, bool, RecordedResponse) Begin(Pair pair, Random random, List<RecordedRequest> paused)
    {
        Assert.NotNull(paused);
        var body = new string((char)random.Next('a', 'z'), random.Next(4) == 0 ? 0 : random.Next(1, 100_000));
        var trailers = random.Next(2) == 0;
        var response = new RecordedResponse();
        var stream = pair.Client.OpenStream(response);
        var known = random.Next(2) == 0;
        stream.SendHead(RecordedResponse.Request("POST", length: known ? body.Length : -1, fields: ("x-n", $"{random.Next(10)}")), end: false);
        var sender = new Sender(body, trailers, random);
        response.WhenWritable = () => sender.Go(stream.SendData, stream.SendTrailers, () => stream.IsBlocked);
        response.WhenWritable();
        return (body, trailers, response);
    }

    private static byte[] RandomFrame(Random random, (string, string)[] head)
    {
        var stream = random.Next(8);
        switch (random.Next(10))
        {
            case 0:
                return Frame.Headers(stream, random.Next(2) == 0, head);
            case 1:
                return Frame.Data(stream, random.Next(2) == 0, new string('x', random.Next(100)));
            case 2:
                return Frame.WindowUpdate(stream, (uint)random.Next());
            case 3:
                return Frame.Settings((random.Next(10), (uint)random.Next(100_000)));
            default:
                var payload = new byte[random.Next(40)];
                random.NextBytes(payload);
                return Frame.Raw(random.Next(12), random.Next(256), stream, payload);
        }
    }

    /// <summary>Sends a body in random pieces, and stops while it is asked to.</summary>
    private sealed class Sender(string body, bool trailers, Random random)
    {
        private readonly byte[] _bytes = Encoding.Latin1.GetBytes(body);
        private int _at;
        private bool _ended;

        internal delegate void SendData(ReadOnlySpan<byte> data, bool end);

        public void Respond(RecordedRequest request)
        {
            request.Stream.SendHead(RecordedRequest.Response(200, trailers ? -1 : _bytes.Length), end: false);
            request.WhenWritable = () => Go(request.Stream.SendData, request.Stream.SendTrailers, () => request.Stream.IsBlocked);
            request.WhenWritable();
        }

        public void Go(SendData data, Action<HeaderList> sendTrailers, Func<bool> blocked)
        {
            while (!_ended && !blocked())
            {
                var length = Math.Min(random.Next(1, 30_000), _bytes.Length - _at);
                var last = _at + length == _bytes.Length;
                _at += length;
                _ended = last;
                data(_bytes.AsSpan(_at - length, length), last && !trailers);
                if (!last || !trailers)
                    continue;
                var list = new HeaderList();
                list.Add("t"u8, "1"u8);
                sendTrailers(list);
            }
        }
    }
}
