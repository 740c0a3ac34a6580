using Weft.Proxy.Tls.Sessions;
using Weft.Proxy.Tls.Settings;

namespace Weft.Proxy.Tests.Tls;

[CollectionDefinition(nameof(AloneInTheProcess), DisableParallelization = true)]
public sealed class AloneInTheProcess;

/// <summary>Resident memory is the whole process's, so no other test may run beside.</summary>
[Collection(nameof(AloneInTheProcess))]
public sealed class MemoryTests : IDisposable
{
    private readonly TlsFixture _tls = new();

    [Fact]
    public void Ten_thousand_connections_leave_no_memory_behind()
    {
        using var client = _tls.Client(new() { Certificate = _tls.Authority.Issue(), Protocols = ["h2"] });
        using var server = _tls.Server(new()
        {
            Protocols = ["h2"],
            Hosts =
            [
                new() { Certificates = [_tls.Authority.Issue()], Clients = new() { Mode = ClientCertificateMode.Optional, AuthoritiesPem = _tls.Authority.Pem } },
                new() { Names = ["other.example"], Certificates = [_tls.Authority.Issue(new() { Dns = ["other.example"] })] },
            ],
        });
        using var sessions = new TlsSessionCache();
        Connections(2_000); // caches of libssl, of the pool and of the collector are full
        var before = ResidentBytes();

        Connections(10_000);

        // 10,000 connections that lost 2 KB each would be 20 MB; the collector's own coming and going stays below.
        Assert.InRange(ResidentBytes() - before, long.MinValue, 16 << 20);

        void Connections(int count)
        {
            for (var i = 0; i < count; i++)
            {
                // All kinds of ends: resumed, another host, refused, abandoned in the handshake.
                var name = (i % 4) switch { 1 => "other.example", 2 => "wrong.example", _ => "a.example" };
                using var pair = new EnginePair(client.Connect(_tls.Pool, name, sessions), server.Accept(_tls.Pool), _tls.Pool);
                if (i % 8 != 7)
                    pair.Run();
            }
        }
    }

    public void Dispose() => _tls.Dispose();

    private static long ResidentBytes()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        return long.Parse(File.ReadAllText("/proc/self/statm").Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture) * Environment.SystemPageSize;
    }
}
