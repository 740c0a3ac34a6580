using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Weft.Proxy.Dns.Wire;

namespace Weft.Proxy.Tests.Support;

/// <summary>A DNS server of a test: records that can be changed, and it can be told to fail.</summary>
internal sealed class NameServer : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
    private readonly ConcurrentDictionary<(string Name, ushort Type), (uint Ttl, byte[] Data)[]> _records = new();

    public NameServer()
    {
        _socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        Address = _socket.LocalEndPoint!.ToString()!;
        _ = AnswerAsync();
    }

    public string Address { get; }

    /// <summary>`name type`, in order.</summary>
    public ConcurrentQueue<string> Asked { get; } = new();

    /// <summary>Null: does not answer at all. Else the code of each answer without records.</summary>
    public int? Failing { get; set; } = Rcode.NoError;

    /// <summary>Names, or `name type`, that are not answered, whatever else is.</summary>
    public ConcurrentDictionary<string, bool> Silent { get; } = new();

    public void Addresses(string name, uint ttl, params string[] addresses)
    {
        foreach (var (type, length) in new[] { (RecordType.A, 4), (RecordType.AAAA, 16) })
            _records[(name, type)] = [.. addresses.Select(text => IPAddress.Parse(text).GetAddressBytes()).Where(bytes => bytes.Length == length).Select(bytes => (ttl, bytes))];
    }

    public void Services(string name, uint ttl, params (int Priority, int Weight, int Port, string Target)[] services) =>
        _records[(name, RecordType.SRV)] = [.. services.Select(service => (ttl, Service(service.Priority, service.Weight, service.Port, service.Target)))];

    public void Dispose() => _socket.Dispose();

    private static byte[] Service(int priority, int weight, int port, string target)
    {
        var data = new byte[6];
        BinaryPrimitives.WriteUInt16BigEndian(data, (ushort)priority);
        BinaryPrimitives.WriteUInt16BigEndian(data.AsSpan(2), (ushort)weight);
        BinaryPrimitives.WriteUInt16BigEndian(data.AsSpan(4), (ushort)port);
        return [.. data, .. DnsName.ToWire(target)];
    }

    private async Task AnswerAsync()
    {
        var buffer = new byte[4096];
        try
        {
            while (true)
            {
                var got = await _socket.ReceiveFromAsync(buffer, new IPEndPoint(IPAddress.Any, 0));
                if (Answer(buffer.AsSpan(0, got.ReceivedBytes)) is { } answer)
                    await _socket.SendToAsync(answer, got.RemoteEndPoint);
            }
        }
        catch (Exception over) when (over is SocketException or ObjectDisposedException)
        {
            // the end
        }
    }

    private byte[]? Answer(ReadOnlySpan<byte> message)
    {
        Span<char> text = stackalloc char[DnsLimits.MaxName];
        var query = DnsQuery.Read(message, text);
        var name = query.Name.ToString();
        Asked.Enqueue($"{name} {query.Type}");
        if (Failing is not { } code || Silent.ContainsKey(name) || Silent.ContainsKey($"{name} {query.Type}"))
            return null;
        var to = new byte[DnsLimits.EdnsUdp];
        var writer = new AnswerWriter(to, message, query, query.UdpLimit);
        if (code == Rcode.NoError && _records.TryGetValue((name, query.Type), out var records))
        {
            foreach (var (ttl, data) in records)
                writer.Record(query.Type, ttl, data);
        }

        return to[..writer.Finish(code)];
    }
}
