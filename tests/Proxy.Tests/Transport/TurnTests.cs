using System.Net;
using System.Net.Sockets;
using System.Text;
using Weft.Proxy.Http;
using Weft.Proxy.Http1;
using Weft.Proxy.Http2;
using Weft.Proxy.Tests.Http2.Support;
using Weft.Proxy.Tests.Support;
using Weft.Proxy.Transport;
using Weft.Testing;

namespace Weft.Proxy.Tests.Transport;

/// <summary>How much of a loop one client gets before another: counted, not timed. How long that takes is `bench/Load/floods`' question.</summary>
public sealed class TurnTests
{
    private const string Request = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
    private static readonly IPEndPoint Nobody = new(IPAddress.Loopback, 1);

    [Fact]
    public async Task A_request_waits_for_one_turn_of_a_client_that_pipelines()
    {
        var served = new Served();
        using var bed = new EngineBed(Nobody, settings => settings with { Exchanges = served.For });
        using var greedy = bed.Connect();
        using var good = bed.Connect();
        EngineBed.Ask(greedy, Request);
        EngineBed.Ask(good, Request);
        served.Ports.Clear();

        using (Hold(bed.Loop))
        {
            greedy.Send(Many(1500));
            good.Send(Encoding.ASCII.GetBytes(Request));
        }

        await Eventually.TrueAsync(() => served.Count == 1501);
        Assert.InRange(served.Ports.IndexOf(Port(good)), 0, Http1ServerConnection.RequestsPerTurn);
    }

    [Fact]
    public async Task However_many_pipeline_a_request_that_comes_is_served_after_a_bounded_number_of_theirs()
    {
        const int clients = 100, each = 300, begin = 5000;
        var served = new Served();
        using var bed = new EngineBed(Nobody, settings => settings with { Exchanges = served.For });
        using var good = bed.Connect();
        EngineBed.Ask(good, Request);
        var greedy = Enumerable.Range(0, clients).Select(_ => bed.Connect()).ToList();
        greedy.ForEach(one => EngineBed.Ask(one, Request));
        served.Ports.Clear();
        served.At = (begin, () => good.Send(Encoding.ASCII.GetBytes(Request)));

        using (Hold(bed.Loop))
            greedy.ForEach(one => one.Send(Many(each)));

        await Eventually.TrueAsync(() => served.Count == (clients * each) + 1);
        // What is left of the turns of one wake-up.
        Assert.InRange(served.Ports.IndexOf(Port(good)) - begin, 0, EventLoop.LeastTurns * Http1ServerConnection.RequestsPerTurn);
        greedy.ForEach(one => one.Dispose());
    }

    [Fact]
    public async Task A_request_on_a_connection_that_stands_comes_before_new_connections()
    {
        var served = new Served();
        var connections = -1;
        using var bed = new EngineBed(Nobody, settings => settings with { Exchanges = served.For });
        using var good = bed.Connect();
        EngineBed.Ask(good, Request);
        served.Ports.Clear();
        served.At = (1, () => connections = bed.Acceptor.Connections);

        List<Socket> crowd;
        using (Hold(bed.Loop))
        {
            crowd = [.. Enumerable.Range(0, 100).Select(_ => bed.Connect())];
            good.Send(Encoding.ASCII.GetBytes(Request));
        }

        await Eventually.TrueAsync(() => connections >= 0);
        Assert.Equal(1, connections);
        await Eventually.TrueAsync(() => bed.Acceptor.Connections == 101);
        crowd.ForEach(one => one.Dispose());
    }

    [Fact]
    public async Task New_connections_are_accepted_a_few_at_a_time()
    {
        using var loop = new EventLoop("loop", TimeProvider.System, _ => { });
        var accepted = new List<int>();
        var after = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        var socket = Listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var address = (IPEndPoint)socket.LocalEndPoint!;
        loop.Start();
        Listener? listener = null;
        await loop.PostAsync(() => listener = new Listener(loop, socket, (fd, _) =>
        {
            accepted.Add(fd);
            if (accepted.Count == 1)
                loop.Post(() => after.SetResult(accepted.Count)); // as anything that comes meanwhile
        }));
        List<Socket> crowd;
        using (Hold(loop))
        {
            crowd = [.. Enumerable.Range(0, 50).Select(_ => new Socket(SocketType.Stream, ProtocolType.Tcp))];
            crowd.ForEach(one => one.Connect(address));
        }

        Assert.Equal(Listener.AcceptsPerTurn, await Eventually.EndsAsync(after.Task));
        await Eventually.TrueAsync(() => accepted.Count == 50);
        await loop.PostAsync(() =>
        {
            listener!.Dispose();
            accepted.ForEach(fd => Weft.Proxy.Transport.Interop.SocketCalls.Close(fd));
        });
        crowd.ForEach(one => one.Dispose());
    }

    [Fact]
    public void A_connection_of_HTTP_2_has_its_requests_served_in_turns()
    {
        var server = new ServerSide();
        server.Send([.. Enumerable.Range(0, 100).SelectMany(i => Frame.Headers((2 * i) + 1, true, Frame.Get))]);
        Assert.Equal(100, server.Exchanges.All.Count);
        Assert.Equal(99 / (Http2Connection.WorkPerTurn / Http2Connection.WorkOfBlock), server.Transport.Yields);
    }

    private static byte[] Many(int count) => Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(Request, count)));

    private static int Port(Socket socket) => ((IPEndPoint)socket.LocalEndPoint!).Port;

    /// <summary>What comes until it is disposed of finds the loop busy, and comes to it in one wake-up.</summary>
    private static Held Hold(EventLoop loop) => new(loop);

    private sealed class Held : IDisposable
    {
        private readonly ManualResetEventSlim _go = new();

        public Held(EventLoop loop)
        {
            using var busy = new ManualResetEventSlim();
            loop.Post(() =>
            {
                busy.Set();
                _go.Wait();
            });
            busy.Wait();
        }

        public void Dispose() => _go.Set();
    }

    /// <summary>Whose requests were served, in order, all by the loop itself.</summary>
    private sealed class Served
    {
        private int _count;

        public List<int> Ports { get; } = [];

        public int Count => Volatile.Read(ref _count);

        public (int Count, Action Action) At { get; set; } = (-1, () => { });

        public IExchangeFactory For(Weft.Proxy.Downstream.Client client) => new Answering(this, client.Peer!.Port);

        private void Add(int port)
        {
            Ports.Add(port);
            Volatile.Write(ref _count, Ports.Count);
            if (Ports.Count == At.Count)
                At.Action();
        }

        private sealed class Answering(Served owner, int port) : IExchangeFactory, IServerStreamHandler
        {
            private readonly RequestHead _head = new();

            public RequestHead RentHead() => _head;

            public void ReturnHead(RequestHead head) => head.Clear();

            public IServerStreamHandler Begin() => this;

            public void OnRequest(IServerStream stream, RequestHead head, bool end)
            {
                owner.Add(port);
                head.Clear();
                stream.SendHead(new ResponseHead { Status = 204 }, end: true);
            }

            public void OnRequestData(ReadOnlySpan<byte> data, bool end)
            {
            }

            public void OnRequestTrailers(HeaderList trailers)
            {
            }

            public void OnResponseWritable()
            {
            }

            public void OnRequestReset(ResetReason reason)
            {
            }
        }
    }
}
