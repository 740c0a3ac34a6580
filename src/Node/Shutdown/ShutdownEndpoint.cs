using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Weft.Api.Shutdown;

namespace Weft.Node.Shutdown;

/// <summary>
/// The socket by which the node is told that its machine goes down. A socket and not a signal: SIGTERM means that the agent is replaced, which pods
/// outlive, and who asks can wait for the end and see how far it is.
/// </summary>
internal sealed partial class ShutdownEndpoint : IAsyncDisposable
{
    // A request is a line of some hundred bytes.
    private const int MaxRequest = 64 * 1024;

    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly CancellationTokenSource _stop = new();
    private readonly NodeShutdown _shutdown;
    private readonly string _path;
    private readonly ILogger<ShutdownEndpoint> _logger;
    private readonly Task _running;

    public ShutdownEndpoint(string runDir, NodeShutdown shutdown, ILogger<ShutdownEndpoint> logger)
    {
        _path = Path.Combine(runDir, ShutdownSocket.Name);
        _shutdown = shutdown;
        _logger = logger;
        File.Delete(_path);   // of an agent that was killed
        _listener.Bind(new UnixDomainSocketEndPoint(_path));
        _listener.Listen(1);
        _running = AcceptAsync(_stop.Token);
    }

    // One after the other: a node goes down once, and whoever asks again sees that nothing is left.
    private async Task AcceptAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                using var connection = await _listener.AcceptAsync(cancellationToken);
                try
                {
                    await ServeAsync(connection, cancellationToken);
                }
                catch (Exception e) when (e is IOException or JsonException)
                {
                    Log.Broken(_logger, e.Message);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The agent stops.
        }
    }

    private async Task ServeAsync(Socket connection, CancellationToken cancellationToken)
    {
        await using var stream = new NetworkStream(connection);
        if (await ReadLineAsync(stream, cancellationToken) is not { } line || JsonSerializer.Deserialize(line, ShutdownJson.Default.ShutdownRequest) is not { Periods.IsDefaultOrEmpty: false } request)
            return;
        Log.Begun(_logger);
        await _shutdown.RunAsync(request.Periods, sentence => SayAsync(new(sentence, Done: false)), cancellationToken);
        Log.Ended(_logger);
        await SayAsync(new("the pods have ended", Done: true));

        // Who asked may have gone; the machine goes down all the same.
        async Task SayAsync(ShutdownReport report)
        {
            try
            {
                await stream.WriteAsync((byte[])[.. JsonSerializer.SerializeToUtf8Bytes(report, ShutdownJson.Default.ShutdownReport), (byte)'\n'], cancellationToken);
            }
            catch (IOException e)
            {
                Log.Broken(_logger, e.Message);
            }
        }
    }

    private static async Task<string?> ReadLineAsync(Stream stream, CancellationToken cancellationToken)
    {
        var buffer = new byte[MaxRequest];
        var length = 0;
        while (length < buffer.Length && await stream.ReadAsync(buffer.AsMemory(length), cancellationToken) is var read and > 0)
        {
            length += read;
            if (buffer.AsSpan(0, length).IndexOf((byte)'\n') is var end and >= 0)
                return Encoding.UTF8.GetString(buffer, 0, end);
        }
        return null;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _listener.Dispose();
        File.Delete(_path);
        _stop.Dispose();
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "The machine goes down: the node's pods are ended", EventName = nameof(Begun))]
        public static partial void Begun(ILogger logger);

        [LoggerMessage(LogLevel.Information, "The node's pods have ended, or their time is over", EventName = nameof(Ended))]
        public static partial void Ended(ILogger logger);

        [LoggerMessage(LogLevel.Warning, "A request to shut down broke off: {Cause}", EventName = nameof(Broken))]
        public static partial void Broken(ILogger logger, string cause);
    }
}
