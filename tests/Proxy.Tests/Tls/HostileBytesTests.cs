using Weft.Proxy.Tls;
using Weft.Proxy.Transport;

namespace Weft.Proxy.Tests.Tls;

/// <summary>Bytes of no good peer: each ends in a sentence, none in a crash, and memory comes back.</summary>
public sealed class HostileBytesTests : IDisposable
{
    private readonly TlsFixture _tls = new();

    [Fact]
    public void Random_bytes_are_refused()
    {
        var random = new Random(20261128);
        using var server = _tls.Server();
        using var plaintext = new ByteQueue(_tls.Pool);
        for (var i = 0; i < 2000; i++)
        {
            using var engine = server.Accept(_tls.Pool);
            var bytes = new byte[random.Next(1, 600)];
            random.NextBytes(bytes);
            if (i % 2 == 0 && bytes.Length > 5)
                (bytes[0], bytes[1], bytes[2], bytes[3], bytes[4]) = (22, 3, 1, 0, (byte)(bytes.Length - 5)); // a handshake record
            var alive = engine.Feed(bytes, plaintext);
            Assert.Equal(alive, engine.Error is null);
            Assert.NotEqual(TlsState.Open, engine.State);
            Assert.True(plaintext.IsEmpty);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_handshake_with_a_changed_byte_never_ends_open_on_both_sides(int seed)
    {
        var random = new Random(seed);
        using var client = _tls.Client(new() { Protocols = ["h2"], Certificate = _tls.Authority.Issue() });
        using var server = _tls.Mutual(new());
        using var clientText = new ByteQueue(_tls.Pool);
        using var serverText = new ByteQueue(_tls.Pool);
        using var wire = new ByteQueue(_tls.Pool);
        for (var i = 0; i < 300; i++)
        {
            using var a = client.Connect(_tls.Pool, "a.example");
            using var b = server.Accept(_tls.Pool);
            var flights = random.Next(3);
            var damaged = false;
            for (var flight = 0; flight < 6; flight++)
            {
                var (from, to, into) = flight % 2 == 0 ? (a, b, serverText) : (b, a, clientText);
                from.Drain(wire);
                var bytes = wire.Span.ToArray();
                wire.Clear();
                if (flight == flights && bytes.Length > 0)
                {
                    // A record's version (bytes 1 and 2) is not looked at (RFC 8446 section 5.1); all else is.
                    bytes[random.Next(9, bytes.Length)] ^= (byte)random.Next(1, 256);
                    damaged = true;
                }

                if (bytes.Length > 0)
                    to.Feed(bytes, into);
            }

            Assert.True(damaged);
            Assert.False(a.State == TlsState.Open && b.State == TlsState.Open, $"flight {flights} of round {i}");
        }
    }

    [Fact]
    public void Damaged_records_of_an_open_connection_give_no_plaintext()
    {
        var random = new Random(7);
        using var client = _tls.Client();
        using var server = _tls.Server();
        for (var i = 0; i < 300; i++)
        {
            using var pair = _tls.Connect(client, server);
            using var wire = new ByteQueue(_tls.Pool);
            pair.Client.Write("some text that no one may change"u8, wire);
            var bytes = wire.Span.ToArray();
            // Not its length: more bytes would be waited for.
            var at = random.Next(bytes.Length - 2);
            bytes[at < 3 ? at : at + 2] ^= (byte)random.Next(1, 256);
            pair.Server.Feed(bytes, pair.AtServer);
            Assert.True(pair.AtServer.IsEmpty);
        }
    }

    public void Dispose() => _tls.Dispose();
}
