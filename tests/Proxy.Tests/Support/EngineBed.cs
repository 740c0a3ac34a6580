using System.Net;
using System.Net.Sockets;
using System.Text;
using Weft.Proxy.Downstream;
using Weft.Proxy.Http1;
using Weft.Proxy.Http2;
using Weft.Proxy.Transport;
using Weft.Proxy.Upstream;

namespace Weft.Proxy.Tests.Support;

/// <summary>One loop with an acceptor in front of one endpoint: the engine without configuration.</summary>
internal sealed class EngineBed : IDisposable
{
    private readonly Listener _listener;
    private readonly List<Exception> _defects = [];

    public EngineBed(IPEndPoint upstream, Func<AcceptorSettings, AcceptorSettings>? settings = null, PoolOptions? pool = null, Action<Client>? client = null)
    {
        Loop = new("engine", TimeProvider.System, _defects.Add);
        var streams = new Http2Streams(Loop.Buffers);
        Pool = new(Loop, upstream, pool ?? new(), streams);
        var basic = new AcceptorSettings
        {
            Exchanges = of =>
            {
                client?.Invoke(of);
                return new PlainExchanges(Pool, Encoding.ASCII.GetBytes(of.Peer!.Address.ToString()));
            },
            Http1 = new(Http1Limits.Default, "http"),
            Http2 = new(new Http2Limits(), "http"),
        };
        Acceptor = new(Loop, settings?.Invoke(basic) ?? basic, streams);
        var socket = Listener.Bind(new(IPAddress.Loopback, 0));
        Address = (IPEndPoint)socket.LocalEndPoint!;
        _listener = new(Loop, socket, Acceptor.Accept);
        Loop.Start();
    }

    public EventLoop Loop { get; }

    public EndpointPool Pool { get; }

    public DownstreamAcceptor Acceptor { get; }

    public IPEndPoint Address { get; }

    /// <summary>Runs on the loop, and waits until it has.</summary>
    public void OnLoop(Action action) => Loop.PostAsync(action).WaitAsync(TimeSpan.FromSeconds(20)).GetAwaiter().GetResult();

    /// <summary>As a listener ends that nobody takes over.</summary>
    public void StopListening() => _listener.TakeAndDispose();

    public Socket Connect()
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, ReceiveTimeout = 20_000 };
        socket.Connect(Address);
        return socket;
    }

    /// <summary>Sends, and reads to the end.</summary>
    public string Talk(string text)
    {
        using var socket = Connect();
        return Talk(socket, text);
    }

    public static string Talk(Socket socket, string text)
    {
        socket.Send(Encoding.Latin1.GetBytes(text));
        return ReadToEnd(socket);
    }

    public static string ReadToEnd(Socket socket)
    {
        var all = new StringBuilder();
        var buffer = new byte[65536];
        try
        {
            while (socket.Receive(buffer) is var got and > 0)
                all.Append(Encoding.Latin1.GetString(buffer, 0, got));
        }
        catch (SocketException reset) when (reset.SocketErrorCode == SocketError.ConnectionReset)
        {
            all.Append("(reset)");
        }
        catch (SocketException late) when (late.SocketErrorCode == SocketError.TimedOut)
        {
            throw new TimeoutException($"no end after: {all}");
        }

        return all.ToString();
    }

    /// <summary>Reads one response with a Content-Length.</summary>
    public static string ReadResponse(Socket socket)
    {
        var all = "";
        var buffer = new byte[65536];
        while (true)
        {
            var head = all.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4;
            if (head >= 4)
            {
                var at = all.IndexOf("content-length: ", StringComparison.Ordinal);
                var length = at < 0 || at > head ? 0 : int.Parse(all[(at + 16)..all.IndexOf('\r', at)], System.Globalization.CultureInfo.InvariantCulture);
                if (all.Length >= head + length)
                    return all;
            }

            var got = socket.Receive(buffer);
            Assert.NotEqual(0, got);
            all += Encoding.Latin1.GetString(buffer, 0, got);
        }
    }

    public static string Ask(Socket socket, string text)
    {
        socket.Send(Encoding.Latin1.GetBytes(text));
        return ReadResponse(socket);
    }

    public void Dispose()
    {
        Loop.Post(_listener.Dispose);
        Loop.Stop();
        Assert.Empty(_defects);
    }
}
