using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Weft.Cluster.Tests.Chaos.Kills;

/// <summary>One question for A records, sent once over UDP: an answer that never comes is a failure, not a reason to ask again.</summary>
internal static class NameQuestion
{
    // A lost question would wait for ever; a proxy that starts on a busy machine takes a second or two.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <exception cref="IOException">Not answered, or not with addresses: the message says with what.</exception>
    internal static async Task<IReadOnlyCollection<string>> AskAsync(Socket socket, IPEndPoint server, string name, ushort id)
    {
        await socket.SendToAsync(Query(name, id), server);
        var buffer = new byte[4096];
        using var patience = new CancellationTokenSource(Patience, TimeProvider.System);
        try
        {
            while (true)
            {
                var length = (await socket.ReceiveFromAsync(buffer, SocketFlags.None, server, patience.Token)).ReceivedBytes;
                if (BinaryPrimitives.ReadUInt16BigEndian(buffer) == id)
                    return Addresses(buffer.AsSpan(0, length), name);
            }
        }
        catch (OperationCanceledException late)
        {
            throw new IOException($"{name}: no answer within {Patience.TotalSeconds:0} s", late);
        }
    }

    private static byte[] Query(string name, ushort id)
    {
        byte[] question = [.. name.Split('.').SelectMany(label => (byte[])[(byte)label.Length, .. Encoding.ASCII.GetBytes(label)]), 0, 0, 1, 0, 1];
        return [(byte)(id >> 8), (byte)id, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, .. question];
    }

    private static List<string> Addresses(ReadOnlySpan<byte> answer, string name)
    {
        const int Header = 12, Truncated = 2, QuestionEnd = 5, RecordHeader = 10;
        var code = answer[3] & 15;
        var count = BinaryPrimitives.ReadUInt16BigEndian(answer[6..]);
        if (code != 0 || count == 0 || (answer[2] & Truncated) != 0)
            throw new IOException($"{name}: response code {code}, {count} records{((answer[2] & Truncated) != 0 ? ", truncated" : "")}");
        var at = Header + name.Length + 1 + QuestionEnd;
        var addresses = new List<string>(count);
        for (var i = 0; i < count; i++)
        {
            while (answer[at] is > 0 and < 0xC0) // labels up to their end, or to a pointer (RFC 1035 4.1.4)
                at += answer[at] + 1;
            at += answer[at] == 0 ? 1 : 2;
            var length = BinaryPrimitives.ReadUInt16BigEndian(answer[(at + RecordHeader - 2)..]);
            at += RecordHeader;
            addresses.Add(new IPAddress(answer.Slice(at, length)).ToString());
            at += length;
        }

        return addresses;
    }
}
