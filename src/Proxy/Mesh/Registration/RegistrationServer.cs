using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Buffers;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace Weft.Proxy.Mesh.Registration;

/// <summary>
/// Hears from the node's agent who the meshed pods are: lines of JSON, each answered by one when it is done. One connection counts: the newest, for an agent
/// that comes anew says everything anew.
/// </summary>
internal sealed partial class RegistrationServer : IAsyncDisposable
{
    // A pod with as many labels as fit into an object of the API would be larger; such a one is not taken into the mesh.
    private const int LongestLine = 256 * 1024;

    private const uint Root = 0;

    // Descriptors that were used up are not there again in the next moment, and pods wait for an answer.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    // One in ten seconds is told: the same trouble may last.
    private const int Told = 50;

    private readonly Func<CancellationToken, ValueTask<Socket>> _accept;
    private readonly WorkloadRegistry _registry;
    private readonly Func<IReadOnlyDictionary<IPAddress, long>>? _requests;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private Task _running = Task.CompletedTask;
    private Socket? _current;

    private RegistrationServer(Func<CancellationToken, ValueTask<Socket>> accept, WorkloadRegistry registry, Func<IReadOnlyDictionary<IPAddress, long>>? requests, TimeProvider time, ILogger logger) =>
        (_accept, _registry, _requests, _time, _logger) = (accept, registry, requests, time, logger);

    /// <param name="listener">Handed over by the supervisor, which keeps it for the next proxy: it is not closed here.</param>
    /// <param name="requests">How many this node has sent so far; null: nobody counts. Called by one thread at a time.</param>
    public static RegistrationServer Start(Socket listener, WorkloadRegistry registry, TimeProvider time, ILoggerFactory loggers, Func<IReadOnlyDictionary<IPAddress, long>>? requests = null) =>
        Start(listener.AcceptAsync, registry, time, loggers, requests);

    /// <param name="accept">Waits for the next connection.</param>
    internal static RegistrationServer Start(
        Func<CancellationToken, ValueTask<Socket>> accept, WorkloadRegistry registry, TimeProvider time, ILoggerFactory loggers, Func<IReadOnlyDictionary<IPAddress, long>>? requests = null)
    {
        var server = new RegistrationServer(accept, registry, requests, time, loggers.CreateLogger<RegistrationServer>());
        server._running = Task.Run(server.AcceptAsync);
        return server;
    }

    private async Task AcceptAsync()
    {
        var (serving, failures) = (Task.CompletedTask, 0);
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                var connection = await AcceptOneAsync();
                failures = 0;
                if (connection is null)
                    continue;
                lock (_gate)
                {
                    _current?.Dispose();
                    _current = connection;
                }
                await serving;
                serving = ServeAsync(connection);
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                break; // The proxy ends.
            }
            catch (Exception failed)
            {
                // Without this loop no meshed pod starts on this node any more, so nothing ends it.
                if (failures++ % Told == 0)
                    Log.NotAccepted(_logger, failed);
                await Task.Delay(Pause, _time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
        lock (_gate)
            _current?.Dispose();
        await serving;
    }

    /// <returns>Null: somebody who has no business here.</returns>
    private async Task<Socket?> AcceptOneAsync()
    {
        var connection = await _accept(_stop.Token);
        try
        {
            if (PeerUser(connection) is not Root and var user)
            {
                Log.Stranger(_logger, user);
                connection.Dispose();
                return null;
            }
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Does not fail.</summary>
    private async Task ServeAsync(Socket connection)
    {
        await Task.Yield();
        try
        {
            // The next agent may have taken its place already.
            await using var stream = new NetworkStream(connection, ownsSocket: true);
            var reader = PipeReader.Create(stream);
            while (true)
            {
                var read = await reader.ReadAsync(_stop.Token);
                var buffer = read.Buffer;
                while (buffer.PositionOf((byte)'\n') is { } end)
                {
                    await stream.WriteAsync(Answer(buffer.Slice(0, end)), _stop.Token);
                    buffer = buffer.Slice(buffer.GetPosition(1, end));
                }
                if (buffer.Length > LongestLine)
                {
                    await stream.WriteAsync(Line($"a line has at most {LongestLine} bytes"), _stop.Token);
                    return;
                }
                reader.AdvanceTo(buffer.Start, buffer.End);
                if (read.IsCompleted)
                    return;
            }
        }
        catch (Exception ended) when (ended is OperationCanceledException or IOException or SocketException or ObjectDisposedException)
        {
            // The agent comes again, and says everything again.
        }
        catch (Exception defect)
        {
            Log.Defect(_logger, defect);
            connection.Dispose();
        }
    }

    private byte[] Answer(ReadOnlySequence<byte> line)
    {
        if (line.Length > LongestLine)
            return Line($"a line has at most {LongestLine} bytes");
        try
        {
            var json = new Utf8JsonReader(line);
            return JsonSerializer.Deserialize(ref json, RegistrationJson.Default.RegistrationOrder) switch
            {
                null => Line("null is no order"),
                { Do: "requests" } => Line(new RegistrationAnswer(null, _requests?.Invoke().ToDictionary(pair => pair.Key.ToString(), pair => pair.Value))),
                var order => Line(_registry.Apply(order)),
            };
        }
        catch (JsonException bad)
        {
            return Line($"not an order in JSON: {bad.Message}");
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            Log.NotKept(_logger, failed.Message);
            return Line($"it cannot be kept: {failed.Message}");
        }
        catch (Exception defect)
        {
            // The connection goes on: what else the agent has to say is of other pods.
            Log.Defect(_logger, defect);
            return Line($"the proxy has a defect: {defect.Message}");
        }
    }

    private static byte[] Line(string? error) => Line(new RegistrationAnswer(error));

    private static byte[] Line(RegistrationAnswer answer) => [.. JsonSerializer.SerializeToUtf8Bytes(answer, RegistrationJson.Default.RegistrationAnswer), (byte)'\n'];

    /// <summary>Who connected, as the kernel knows it: pid, uid and gid, four bytes each (SO_PEERCRED, unix(7)).</summary>
    internal static uint PeerUser(Socket connection)
    {
        const int SolSocket = 1, PeerCredentials = 17;
        Span<byte> credentials = stackalloc byte[12];
        connection.GetRawSocketOption(SolSocket, PeerCredentials, credentials);
        return MemoryMarshal.Read<uint>(credentials[4..]);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _stop.Dispose();
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "user {User} may not say who this node's pods are", EventName = nameof(Stranger))]
        public static partial void Stranger(ILogger logger, uint user);

        [LoggerMessage(LogLevel.Error, "a pod of the mesh cannot be written down: {Cause}", EventName = nameof(NotKept))]
        public static partial void NotKept(ILogger logger, string cause);

        [LoggerMessage(LogLevel.Error, "the node's agent cannot be heard; no pod of the mesh starts until it can", EventName = nameof(NotAccepted))]
        public static partial void NotAccepted(ILogger logger, Exception cause);

        [LoggerMessage(LogLevel.Error, "a defect in hearing the node's agent", EventName = nameof(Defect))]
        public static partial void Defect(ILogger logger, Exception defect);
    }
}
