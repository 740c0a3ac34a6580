using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Weft.Proxy.Dns.Wire;

namespace Weft.Proxy.Dns.Forwarding;

/// <summary>
/// One question to one server. What makes a forged answer hard: a socket of its own with a port by chance, connected (the kernel drops what comes from
/// elsewhere), an id by chance, and letters of the name in upper or lower case by chance, which the answer must repeat.
/// </summary>
internal static class UpstreamExchange
{
    /// <summary>Null when the server's answer cannot be used.</summary>
    /// <exception cref="SocketException">The server cannot be reached.</exception>
    public static async Task<UpstreamAnswer?> AskAsync(IPEndPoint server, Question question, CancellationToken cancellationToken)
    {
        var query = Compose(question, out var questionEnd);
        using var socket = new Socket(server.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        await socket.ConnectAsync(server, cancellationToken);
        await socket.SendAsync(query, cancellationToken);
        var buffer = new byte[4096];
        while (true)
        {
            var length = await socket.ReceiveAsync(buffer, cancellationToken);
            switch (Judge(query, buffer.AsSpan(0, length), questionEnd))
            {
                case Verdict.Foreign:
                    continue; // forged or late: the right one may still come
                case Verdict.Truncated:
                    return await AskOverTcpAsync(server, question, cancellationToken);
                default:
                    return UpstreamAnswer.Read(buffer.AsSpan(0, length), questionEnd);
            }
        }
    }

    private static async Task<UpstreamAnswer?> AskOverTcpAsync(IPEndPoint server, Question question, CancellationToken cancellationToken)
    {
        var query = Compose(question, out var questionEnd);
        using var socket = new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(server, cancellationToken);
        var framed = new byte[2 + query.Length];
        BinaryPrimitives.WriteUInt16BigEndian(framed, (ushort)query.Length);
        query.CopyTo(framed, 2);
        await socket.SendAsync(framed, cancellationToken);

        await using var stream = new NetworkStream(socket);
        var header = new byte[2];
        try
        {
            await stream.ReadExactlyAsync(header, cancellationToken);
            var message = new byte[BinaryPrimitives.ReadUInt16BigEndian(header)];
            await stream.ReadExactlyAsync(message, cancellationToken);
            return Judge(query, message, questionEnd) == Verdict.Good ? UpstreamAnswer.Read(message, questionEnd) : null;
        }
        catch (Exception ended) when (ended is EndOfStreamException or IOException)
        {
            return null;
        }
    }

    internal enum Verdict { Good, Foreign, Truncated }

    /// <summary>Whether octets are the answer to a query.</summary>
    internal static Verdict Judge(ReadOnlySpan<byte> query, ReadOnlySpan<byte> answer, int questionEnd)
    {
        if (answer.Length < DnsLimits.Header || !answer[..2].SequenceEqual(query[..2]) || (answer[2] & 0x80) == 0)
            return Verdict.Foreign;
        var named = answer.Length >= questionEnd && BinaryPrimitives.ReadUInt16BigEndian(answer[4..]) == 1 ? answer[DnsLimits.Header..questionEnd] : [];
        if (named.SequenceEqual(query[DnsLimits.Header..questionEnd]))
            return (answer[2] & 0x02) != 0 ? Verdict.Truncated : Verdict.Good;
        // A server that does not keep the case is asked again over TCP, where nobody can guess.
        return named.Length > 0 && SameLetters(named, query[DnsLimits.Header..questionEnd]) ? Verdict.Truncated : Verdict.Foreign;
    }

    private static bool SameLetters(ReadOnlySpan<byte> one, ReadOnlySpan<byte> other)
    {
        for (var i = 0; i < one.Length; i++)
        {
            var (a, b) = (one[i], other[i]);
            if (a != b && ((a ^ b) != 0x20 || !char.IsAsciiLetter((char)a)))
                return false;
        }

        return true;
    }

    // Chance that an attacker must guess comes from the system, not from a seed.
    private static byte[] Compose(Question question, out int questionEnd)
    {
        Span<byte> message = stackalloc byte[DnsLimits.Header + DnsLimits.MaxName + 4 + 11];
        message.Clear();
        RandomNumberGenerator.Fill(message[..2]);
        message[2] = 0x01; // recursion, please
        message[5] = 1;
        message[11] = 1;
        var name = DnsName.Write(question.Name, message[DnsLimits.Header..]);
        Span<byte> chance = stackalloc byte[DnsLimits.MaxName];
        RandomNumberGenerator.Fill(chance);
        for (var i = 0; i < name; i++)
        {
            ref var octet = ref message[DnsLimits.Header + i];
            if (char.IsAsciiLetterLower((char)octet) && (chance[i] & 1) != 0)
                octet &= 0xDF;
        }

        var at = DnsLimits.Header + name;
        BinaryPrimitives.WriteUInt16BigEndian(message[at..], question.Type);
        BinaryPrimitives.WriteUInt16BigEndian(message[(at + 2)..], DnsLimits.ClassIn);
        questionEnd = at + 4;
        return message[..AnswerWriter.AppendOpt(message, questionEnd, 0)].ToArray();
    }
}
