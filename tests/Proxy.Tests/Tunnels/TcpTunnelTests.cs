using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using Weft.Proxy.Downstream;
using Weft.Proxy.Transport;
using Weft.Proxy.Tunnels;

namespace Weft.Proxy.Tests.Tunnels;

public sealed class TcpTunnelTests
{
    [Fact]
    public async Task Bytes_and_ends_pass_both_ways()
    {
        using var endpoint = new TcpListener(IPAddress.Loopback, 0);
        endpoint.Start();
        using var bed = new Bed(client => new TcpTarget((IPEndPoint)endpoint.LocalEndpoint, First: ProxyHeader.Line(client.Peer!, client.Destination!)));
        using var client = new System.Net.Sockets.TcpClient(AddressFamily.InterNetwork);
        await client.ConnectAsync(bed.Address);
        var stream = client.GetStream();
        // More than all buffers together, towards somebody who does not read yet.
        var data = RandomNumberGenerator.GetBytes(16 << 20);
        var sending = Task.Run(async () =>
        {
            await stream.WriteAsync(data);
            client.Client.Shutdown(SocketShutdown.Send);
        });
        using var accepted = await endpoint.AcceptTcpClientAsync();
        var all = new MemoryStream();
        await accepted.GetStream().CopyToAsync(all);
        await sending;
        var header = ProxyHeader.Line((IPEndPoint)client.Client.LocalEndPoint!, bed.Address);
        Assert.Equal(header, all.ToArray()[..header.Length]);
        Assert.True(all.ToArray().AsSpan(header.Length).SequenceEqual(data));
        // One direction has ended, the other works.
        await accepted.GetStream().WriteAsync("still here"u8.ToArray());
        accepted.Client.Shutdown(SocketShutdown.Send);
        var rest = new MemoryStream();
        await stream.CopyToAsync(rest);
        Assert.Equal("still here"u8.ToArray(), rest.ToArray());
        Assert.True(await bed.Ended.Task.WaitAsync(TimeSpan.FromSeconds(20)));
    }

    [Fact]
    public async Task A_connection_to_nobody_is_reset()
    {
        using var free = new TcpListener(IPAddress.Loopback, 0);
        free.Start();
        var nobody = (IPEndPoint)free.LocalEndpoint;
        free.Stop();
        using var bed = new Bed(_ => new TcpTarget(nobody));
        using var client = new System.Net.Sockets.TcpClient(AddressFamily.InterNetwork);
        // Before the client has looked, maybe.
        var reset = await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            await client.ConnectAsync(bed.Address);
            await client.GetStream().ReadExactlyAsync(new byte[1]).AsTask().WaitAsync(TimeSpan.FromSeconds(20));
        });
        Assert.Equal(SocketError.ConnectionReset, (reset.InnerException as SocketException ?? Assert.IsType<SocketException>(reset)).SocketErrorCode);
        Assert.False(await bed.Ended.Task.WaitAsync(TimeSpan.FromSeconds(20)));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Who_is_tried_next_gets_all_that_the_client_has_sent(int refusing)
    {
        using var endpoint = new TcpListener(IPAddress.Loopback, 0);
        endpoint.Start();
        using var nobody = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        nobody.Bind(new IPEndPoint(IPAddress.Loopback, 0)); // and does not listen
        var heard = new List<string>();
        using var bed = new Bed(client => To(client, refusing));
        using var client = new System.Net.Sockets.TcpClient(AddressFamily.InterNetwork);
        await client.ConnectAsync(bed.Address);
        var stream = client.GetStream();
        await stream.WriteAsync("all of it"u8.ToArray());
        client.Client.Shutdown(SocketShutdown.Send);
        using var accepted = await endpoint.AcceptTcpClientAsync().WaitAsync(TimeSpan.FromSeconds(20));
        var all = new MemoryStream();
        await accepted.GetStream().CopyToAsync(all).WaitAsync(TimeSpan.FromSeconds(20));
        Assert.Equal([.. ProxyHeader.Line((IPEndPoint)client.Client.LocalEndPoint!, bed.Address), .. "all of it"u8], all.ToArray());
        accepted.Client.Shutdown(SocketShutdown.Send);
        Assert.Equal(0, await stream.ReadAsync(new byte[10]).AsTask().WaitAsync(TimeSpan.FromSeconds(20)));
        await bed.OnLoopAsync(() => { });
        Assert.Equal([.. Enumerable.Repeat("refused", refusing), "whole"], heard);

        TcpTarget To(Weft.Proxy.Tunnels.TcpClient from, int left) => new(
            left > 0 ? (IPEndPoint)nobody.LocalEndPoint! : (IPEndPoint)endpoint.LocalEndpoint, First: ProxyHeader.Line(from.Peer!, from.Destination!),
            Ended: tunnel => heard.Add(tunnel switch { null => "refused", { IsWhole: true } => "whole", _ => "cut" }))
        {
            Next = () => To(from, left - 1),
        };
    }

    /// <summary>Bytes go to and fro all the time, so it is not idle; and where nothing passes and that is allowed, its age is all that counts.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task It_is_cut_at_its_greatest_age_and_not_for_being_idle(bool busy)
    {
        using var endpoint = new TcpListener(IPAddress.Loopback, 0);
        endpoint.Start();
        var ended = new TaskCompletionSource<TcpTunnel?>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var bed = new Bed(
            _ => new TcpTarget((IPEndPoint)endpoint.LocalEndpoint, Ended: ended.SetResult) { MaxAgeMilliseconds = 600, IdleMilliseconds = busy ? 5_000 : 0 }, idleMilliseconds: 50);
        using var client = new System.Net.Sockets.TcpClient(AddressFamily.InterNetwork);
        await client.ConnectAsync(bed.Address);
        using var accepted = await endpoint.AcceptTcpClientAsync();
        for (var passed = 1; busy && passed > 0;)
        {
            try
            {
                await accepted.GetStream().WriteAsync(new byte[1]);
            }
            catch (Exception closed) when (closed is IOException or InvalidOperationException)
            {
                break;
            }

            passed = await ReadAsync(client);
        }

        var tunnel = await ended.Task.WaitAsync(TimeSpan.FromSeconds(20));
        Assert.True(tunnel!.IsTooOld);
        Assert.False(tunnel.IsWhole);
        Assert.Equal(0, await ReadAsync(client));
    }

    [Fact]
    public async Task What_is_idle_ends_when_its_target_says_so()
    {
        using var endpoint = new TcpListener(IPAddress.Loopback, 0);
        endpoint.Start();
        var ended = new TaskCompletionSource<TcpTunnel?>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var bed = new Bed(_ => new TcpTarget((IPEndPoint)endpoint.LocalEndpoint, Ended: ended.SetResult) { IdleMilliseconds = 100 }, idleMilliseconds: 3_600_000);
        using var client = new System.Net.Sockets.TcpClient(AddressFamily.InterNetwork);
        await client.ConnectAsync(bed.Address);
        Assert.Equal(0, await ReadAsync(client));
        Assert.False((await ended.Task.WaitAsync(TimeSpan.FromSeconds(20)))!.IsTooOld);
    }

    [Theory]
    [InlineData("a.example")]
    [InlineData("A.B.Example")]
    public async Task The_server_name_is_read_and_the_hello_passed_on(string name)
    {
        using var endpoint = new TcpListener(IPAddress.Loopback, 0);
        endpoint.Start();
        string? seen = null;
        using var bed = new Bed(
            client =>
            {
                seen = client.ServerName;
                return new TcpTarget((IPEndPoint)endpoint.LocalEndpoint);
            }, readServerName: true);
        using var client = new System.Net.Sockets.TcpClient(AddressFamily.InterNetwork);
        await client.ConnectAsync(bed.Address);
        await using var tls = new SslStream(client.GetStream());
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        var handshake = tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = name }, patience.Token);
        using var accepted = await endpoint.AcceptTcpClientAsync();
        var hello = new byte[5];
        await accepted.GetStream().ReadExactlyAsync(hello);
        Assert.Equal(22, hello[0]);
        Assert.Equal(name.ToLowerInvariant(), seen);
        accepted.Close();
        await Assert.ThrowsAnyAsync<Exception>(() => handshake);
    }

    [Fact]
    public async Task What_is_no_hello_goes_nowhere()
    {
        using var bed = new Bed(_ => throw new InvalidOperationException("routed"), readServerName: true);
        using var client = new System.Net.Sockets.TcpClient(AddressFamily.InterNetwork);
        await client.ConnectAsync(bed.Address);
        await client.GetStream().WriteAsync("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"u8.ToArray());
        Assert.Equal(0, await ReadAsync(client));
    }

    [Fact]
    public void A_hello_is_the_same_however_it_is_cut_and_never_more_than_it_is()
    {
        byte[] name = [0, 0, 0, 14, 0, 12, 0, 0, 9, .. "a.example"u8];
        byte[] body = [3, 3, .. new byte[32], 0, 0, 2, 0x13, 1, 1, 0, 0, (byte)name.Length, .. name];
        byte[] message = [1, 0, 0, (byte)body.Length, .. body];
        byte[] hello = [22, 3, 1, 0, 20, .. message[..20], 22, 3, 1, 0, (byte)(message.Length - 20), .. message[20..]];
        for (var length = 0; length < hello.Length; length++)
            Assert.Equal(HelloResult.Incomplete, ClientHello.Read(hello.AsSpan(0, length), out _));
        Assert.Equal(HelloResult.Done, ClientHello.Read(hello, out var found));
        Assert.Equal("a.example", found);
        var random = new Random(3);
        for (var i = 0; i < 20_000; i++)
        {
            var changed = (byte[])hello.Clone();
            for (var n = random.Next(1, 4); n > 0; n--)
                changed[random.Next(changed.Length)] = (byte)random.Next(256);
            _ = ClientHello.Read(changed.AsSpan(0, random.Next(changed.Length + 1)), out _); // whatever it says, it says it without an exception
        }
    }

    private static async Task<int> ReadAsync(System.Net.Sockets.TcpClient client)
    {
        try
        {
            return await client.GetStream().ReadAsync(new byte[10]).AsTask().WaitAsync(TimeSpan.FromSeconds(20));
        }
        catch (Exception closed) when (closed is IOException or InvalidOperationException)
        {
            return 0; // a reset is a close, too; after one there is no stream
        }
    }

    private sealed class Bed : IDisposable
    {
        private readonly EventLoop _loop;
        private readonly Listener _listener;

        public Bed(Func<Weft.Proxy.Tunnels.TcpClient, TcpTarget?> route, bool readServerName = false, long idleMilliseconds = 3_600_000)
        {
            _loop = new("tunnels", TimeProvider.System, defect => Ended.TrySetException(defect));
            var acceptor = new TcpAcceptor(_loop, new TcpSettings
            {
                Route = client => route(client) is { } target ? target with { Ended = target.Ended ?? (tunnel => Ended.TrySetResult(tunnel is { IsWhole: true })) } : null,
                ReadServerName = readServerName, IdleMilliseconds = idleMilliseconds,
            });
            var socket = Listener.Bind(new(IPAddress.Loopback, 0));
            Address = (IPEndPoint)socket.LocalEndPoint!;
            _listener = new(_loop, socket, acceptor.Accept);
            _loop.Start();
        }

        public IPEndPoint Address { get; }

        public Task OnLoopAsync(Action action) => _loop.PostAsync(action);

        public TaskCompletionSource<bool> Ended { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Dispose()
        {
            _loop.Post(_listener.Dispose);
            _loop.Stop();
        }
    }
}
