using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Weft.Images.Sample;

/// <summary>
/// Sends requests until it is told to end, and counts every one that is not answered as it should be: no retries, so that what it says is what a plain client sees. `load URL [--clients 2] [--pause 10]
/// [--each N] [--host NAME] [--expect 200]`: N requests to a connection (0: as many as it bears, 1: a new one each), milliseconds between two of a client. A line for each failure, and the sums each second.
/// </summary>
internal sealed class Load
{
    // Longer than a machine that is out of processors makes anybody wait: what is counted here is lost, not late.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly Uri _url;
    private readonly int _clients, _each, _expected;
    private readonly TimeSpan _pause;
    private readonly byte[] _request;
    private long _good, _failed, _slowest;

    internal Load(string[] options)
    {
        if (options is not [var url, ..] || !Uri.TryCreate(url, UriKind.Absolute, out var parsed) || parsed.Scheme != "http")
            throw new ArgumentException("usage: sample load http://HOST[:PORT]/PATH [--clients 2] [--pause 10] [--each 0] [--host NAME] [--expect 200]");
        (_url, _clients, _each, _expected) = (parsed, Number(options, "--clients", 2), Number(options, "--each", 0), Number(options, "--expect", 200));
        _pause = TimeSpan.FromMilliseconds(Number(options, "--pause", 10));
        var host = Array.IndexOf(options, "--host") is > 0 and var at && at + 1 < options.Length ? options[at + 1] : parsed.Authority;
        _request = Encoding.Latin1.GetBytes($"GET {parsed.PathAndQuery} HTTP/1.1\r\nHost: {host}\r\n{(_each == 1 ? "Connection: close\r\n" : "")}\r\n");
    }

    internal async Task RunAsync(CancellationToken stopping)
    {
        var clients = Enumerable.Range(0, _clients).Select(_ => ClientAsync(stopping)).ToArray();
        try
        {
            while (true)
            {
                await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, stopping);
                Sums();
            }
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(clients);
            Sums();
        }
    }

    private void Sums() => Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"good {Interlocked.Read(ref _good)} failed {Interlocked.Read(ref _failed)} slowest {Interlocked.Exchange(ref _slowest, 0)} ms"));

    private async Task ClientAsync(CancellationToken stopping)
    {
        Socket? socket = null;
        var used = 0;
        while (!stopping.IsCancellationRequested)
        {
            var started = TimeProvider.System.GetTimestamp();
            var doing = "connecting";
            try
            {
                using var patience = new CancellationTokenSource(Patience, TimeProvider.System);
                if (socket is null)
                {
                    socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                    await socket.ConnectAsync(_url.Host, _url.Port, patience.Token);
                    used = 0;
                }

                doing = string.Create(CultureInfo.InvariantCulture, $"request {used + 1} of its connection");
                await socket.SendAsync(_request, patience.Token);
                var (status, closes) = await AnswerAsync(socket, patience.Token);
                used++;
                if (status == _expected)
                    Interlocked.Increment(ref _good);
                else
                    Failed(doing, started, string.Create(CultureInfo.InvariantCulture, $"status {status}"));
                if (closes || used == _each)
                    Close(ref socket);
            }
            catch (Exception broken) when (broken is SocketException or IOException or OperationCanceledException or FormatException)
            {
                Failed(doing, started, broken is OperationCanceledException ? "no answer" : broken.Message);
                Close(ref socket);
            }

            Slowest((long)TimeProvider.System.GetElapsedTime(started).TotalMilliseconds);
            await Task.Delay(_pause, TimeProvider.System, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        socket?.Dispose();
    }

    private static async Task<(int Status, bool Closes)> AnswerAsync(Socket socket, CancellationToken patience)
    {
        var buffer = new byte[64 * 1024];
        int filled = 0, end;
        while ((end = buffer.AsSpan(0, filled).IndexOf("\r\n\r\n"u8)) < 0)
            filled += await MoreAsync(socket, buffer, filled, patience);
        var lines = Encoding.Latin1.GetString(buffer, 0, end).Split("\r\n");
        var body = long.Parse(Header("Content-Length") ?? throw new FormatException("an answer without Content-Length"), CultureInfo.InvariantCulture);
        for (long missing = body - (filled - end - 4); missing > 0;)
            missing -= await MoreAsync(socket, buffer, 0, patience);
        return (int.Parse(lines[0].Split(' ')[1], CultureInfo.InvariantCulture), Header("Connection") == "close");

        string? Header(string name) => lines.Skip(1).Select(line => line.Split(':', 2)).Where(pair => pair[0].Equals(name, StringComparison.OrdinalIgnoreCase)).Select(pair => pair[1].Trim()).FirstOrDefault();
    }

    private static async Task<int> MoreAsync(Socket socket, byte[] buffer, int filled, CancellationToken patience) =>
        await socket.ReceiveAsync(buffer.AsMemory(filled), patience) is > 0 and var read ? read : throw new IOException("closed before the answer was whole");

    private void Failed(string doing, long started, string how)
    {
        Interlocked.Increment(ref _failed);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"failed {TimeProvider.System.GetUtcNow():O} after {TimeProvider.System.GetElapsedTime(started).TotalMilliseconds:0} ms, {doing}: {how}"));
    }

    private void Slowest(long milliseconds)
    {
        for (var known = Interlocked.Read(ref _slowest); milliseconds > known && Interlocked.CompareExchange(ref _slowest, milliseconds, known) is var seen && seen != known; known = seen)
        {
        }
    }

    private static void Close(ref Socket? socket)
    {
        socket?.Dispose();
        socket = null;
    }

    private static int Number(string[] options, string option, int otherwise) =>
        Array.IndexOf(options, option) is > 0 and var at && at + 1 < options.Length ? int.TryParse(options[at + 1], NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : throw new ArgumentException($"{option}: '{options[at + 1]}' is no number") : otherwise;
}
