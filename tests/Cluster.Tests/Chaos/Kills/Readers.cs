using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Weft.Cluster.Tests.Chaos.Kills;

/// <summary>Those who ask all the time: for names, and through the addresses of services.</summary>
internal sealed class Readers(NamespaceSockets sockets, IPEndPoint names, string ns, Population population, ChangingServices services, Figures figures)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan ConnectPatience = TimeSpan.FromSeconds(10);

    private readonly TimeProvider _time = TimeProvider.System;

    /// <summary>Accepts what comes to any endpoint, and says which one it came to.</summary>
    internal async Task AnswerAsync(CancellationToken stopping)
    {
        using var listener = await sockets.TcpAsync();
        listener.Bind(new IPEndPoint(IPAddress.Any, ChangingServices.Port));
        listener.Listen(512);
        try
        {
            while (true)
            {
                using var connection = await listener.AcceptAsync(stopping);
                await connection.SendAsync(Encoding.ASCII.GetBytes(((IPEndPoint)connection.LocalEndPoint!).Address.ToString()), stopping);
            }
        }
        catch (OperationCanceledException)
        {
            // The end.
        }
    }

    internal Task ReadAsync(CancellationToken stopping) => Task.WhenAll(AskAsync(1, stopping), AskAsync(2, stopping), AskAsync(3, stopping), ConnectAsync(4, stopping), ConnectAsync(5, stopping));

    private async Task AskAsync(int seed, CancellationToken stopping)
    {
        var random = new Random(seed);
        while (!stopping.IsCancellationRequested)
        {
            await TryAsync(random.Next(population.Headless), NameAsync);
            await PauseAsync(stopping);
        }
    }

    private async Task ConnectAsync(int seed, CancellationToken stopping)
    {
        var random = new Random(seed);
        while (!stopping.IsCancellationRequested)
        {
            await TryAsync(population.Headless + random.Next(population.Addressed), ConnectionAsync);
            await PauseAsync(stopping);
        }
    }

    private Task PauseAsync(CancellationToken stopping) => Task.Delay(Pause, _time, stopping).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);

    private async Task TryAsync(int service, Func<int, Task<int>> read)
    {
        try
        {
            await read(service);
        }
        catch (Exception lost) when (lost is IOException or SocketException or OperationCanceledException)
        {
            figures.Wrong.Add($"{_time.GetUtcNow():HH:mm:ss.fff} {population.Name(service)}: {lost.Message}");
        }
    }

    /// <summary>The version that the service's name tells.</summary>
    internal async Task<int> NameAsync(int service)
    {
        using var socket = await sockets.UdpAsync();
        var asked = _time.GetTimestamp();
        var addresses = await NameQuestion.AskAsync(socket, names, $"{population.Name(service)}.{ns}.svc.cluster.local", (ushort)service);
        var version = population.VersionOf(service, addresses) ?? throw new IOException($"answered with {string.Join(' ', addresses)}");
        figures.Name(services.Histories[service].Of(version, asked), _time.GetElapsedTime(asked));
        return version;
    }

    /// <summary>The version that a connection to the service's address tells.</summary>
    internal async Task<int> ConnectionAsync(int service)
    {
        using var patience = new CancellationTokenSource(ConnectPatience, _time);
        using var socket = await sockets.TcpAsync();
        socket.LingerState = new LingerOption(true, 0); // no thousands of connections that wait for their last segment
        var asked = _time.GetTimestamp();
        await socket.ConnectAsync(IPAddress.Parse(services.Addresses[service]), ChangingServices.Port, patience.Token);
        var connected = _time.GetElapsedTime(asked);
        var buffer = new byte[64];
        var endpoint = Encoding.ASCII.GetString(buffer.AsSpan(0, await socket.ReceiveAsync(buffer, patience.Token)));
        var version = population.VersionOf(service, endpoint) ?? throw new IOException($"reached {endpoint}");
        figures.Connection(services.Histories[service].Of(version, asked), connected);
        return version;
    }
}
