using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Text;

namespace Weft.Node.Tests.Network.Mesh;

/// <summary>The proxy's side of the registration, as a list of what it was told.</summary>
internal sealed class FakeRegistry : IAsyncDisposable
{
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentQueue<string> _lines = new();
    private readonly Func<string, string?> _refuse;
    private readonly Task _running;

    /// <param name="refuse">Why a line is refused; null: it is not.</param>
    public FakeRegistry(string path, Func<string, string?>? refuse = null)
    {
        _refuse = refuse ?? (_ => null);
        File.Delete(path);
        _listener.Bind(new UnixDomainSocketEndPoint(path));
        _listener.Listen();
        _running = ServeAsync();
    }

    /// <summary>What it answers to that question.</summary>
    public string Requests { get; init; } = """{"requests":{}}""";

    public IReadOnlyList<string> Lines => [.. _lines];

    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                using var connection = await _listener.AcceptAsync(_stop.Token);
                await using var stream = new NetworkStream(connection);
                using var reader = new StreamReader(stream, Encoding.UTF8);
                while (await NextAsync(reader) is { } line)
                {
                    _lines.Enqueue(line);
                    await stream.WriteAsync(Encoding.UTF8.GetBytes((_refuse(line) is { } why ? $$"""{"error":"{{why}}"}""" : line.Contains("\"requests\"", StringComparison.Ordinal) ? Requests : "{}") + "\n"), _stop.Token);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The proxy is killed.
        }
    }

    // Who goes with an answer unread resets the connection: that is an end, too.
    private async Task<string?> NextAsync(StreamReader reader)
    {
        try
        {
            return await reader.ReadLineAsync(_stop.Token);
        }
        catch (IOException)
        {
            return null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _listener.Dispose();
        _stop.Dispose();
    }
}
