using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Weft.Bench.Mesh.Latency;

/// <summary>
/// Requests at a fixed rate over kept connections. Each is due at a time that was fixed before, and its latency counts from then: an answer that is late makes those behind it late, too, and a
/// generator that is late counts against what it measures.
/// </summary>
internal sealed class OpenLoop : IDisposable
{
    private readonly Link[] _links;
    private readonly Poll.Entry[] _entries;
    private readonly byte[] _request, _buffer = new byte[64 * 1024];
    private readonly TimeProvider _time;

    public OpenLoop(BenchPod from, IPEndPoint to, string host, int connections, TimeProvider time)
    {
        _time = time;
        _request = Encoding.ASCII.GetBytes($"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n");
        _links = [.. Enumerable.Range(0, connections).Select(_ => new Link(PodSockets.Connect(from, to)))];
        _entries = [.. _links.Select(link => new Poll.Entry { Descriptor = (int)link.Socket.Handle, Wanted = Poll.In })];
    }

    /// <summary>On the calling thread.</summary>
    /// <param name="rate">Requests a second, over all connections in turn.</param>
    /// <returns>Milliseconds from when each request was due to the end of its answer.</returns>
    public List<double> Run(double rate, TimeSpan duration)
    {
        var latencies = new List<double>((int)(rate * duration.TotalSeconds) + 1);
        var total = (int)(rate * duration.TotalSeconds);
        var (issued, interval, started) = (0, TimeSpan.FromSeconds(1 / rate), _time.GetTimestamp());
        while (latencies.Count < total)
        {
            var now = _time.GetElapsedTime(started);
            for (; issued < total && issued * interval <= now; issued++)
                _links[issued % _links.Length].Due.Enqueue(issued * interval);
            foreach (var link in _links)
                Send(link);
            var wait = issued < total ? (issued * interval) - _time.GetElapsedTime(started) : TimeSpan.FromSeconds(5);
            if (Poll.Wait(_entries, wait > TimeSpan.Zero ? wait : TimeSpan.Zero) == 0 && issued == total)
                throw new TimeoutException($"{total - latencies.Count} requests have no answer");
            for (var i = 0; i < _links.Length; i++)
            {
                if (_entries[i].Found != 0 && Receive(_links[i]))
                {
                    latencies.Add((_time.GetElapsedTime(started) - _links[i].Asked).TotalMilliseconds);
                    _links[i].IsAsking = false;
                }
            }
        }

        return latencies;
    }

    private void Send(Link link)
    {
        if (link.IsAsking || !link.Due.TryDequeue(out var due))
            return;
        (link.Asked, link.IsAsking, link.Got, link.Wanted) = (due, true, 0, -1);
        link.Socket.Send(_request);
    }

    // Every answer of the bench's servers is the same: the first tells how long it is.
    private bool Receive(Link link)
    {
        var got = link.Socket.Receive(_buffer);
        if (got == 0)
            throw new IOException("a connection was closed");
        link.Got += got;
        if (link.Wanted < 0)
        {
            var head = Encoding.ASCII.GetString(_buffer, 0, got);
            if (!head.StartsWith("HTTP/1.1 200", StringComparison.Ordinal))
                throw new IOException(head.Split('\r')[0]);
            link.Wanted = HttpProbe.Length(head) ?? throw new IOException("the head of an answer came in pieces");
        }

        return link.Got >= link.Wanted;
    }

    public void Dispose()
    {
        foreach (var link in _links)
            link.Socket.Dispose();
    }

    private sealed class Link(Socket socket)
    {
        public Socket Socket => socket;

        public Queue<TimeSpan> Due { get; } = new();

        public TimeSpan Asked { get; set; }

        public bool IsAsking { get; set; }

        public int Got { get; set; }

        public int Wanted { get; set; }
    }
}
