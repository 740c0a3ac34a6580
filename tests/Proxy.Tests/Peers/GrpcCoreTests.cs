using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Runtime.CompilerServices;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Tests.Hostile;
using Weft.Proxy.Tests.Tls;
using Weft.Testing;

namespace Weft.Proxy.Tests.Peers;

/// <summary>gRPC's C core (Debian's python3-grpcio) as client and server, through the engine.</summary>
public sealed class GrpcCoreTests
{
    // Not whatever python3 stands first in PATH: Debian's own has the package.
    private const string Python = "/usr/bin/python3";

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Calls_of_every_form_deadlines_and_errors_are_as_the_library_has_them(bool tls)
    {
        using var server = Process.Start(new ProcessStartInfo(Python, [Script(), "server"]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        try
        {
            var port = int.Parse((await server.StandardOutput.ReadLineAsync())!, CultureInfo.InvariantCulture);
            var cluster = HostileBed.Cluster(new IPEndPoint(IPAddress.Loopback, port), UpstreamProtocol.Http2);
            using var authority = new TestAuthority();
            using var directory = new TempDir();
            var authorities = Path.Combine(directory.Path, "ca.pem");
            await File.WriteAllBytesAsync(authorities, authority.Pem);
            var config = tls ? TlsBed.Config(cluster, new ListenerTls { Certificates = ["site"] }, [TlsBed.Certificate("site", authority.Issue())]) : HostileBed.Config(cluster);
            await using var bed = await HostileBed.StartAsync(config, loops: 2);

            await Tool.RunAsync(Python, tls ? [Script(), "client", bed.Address.ToString(), authorities] : [Script(), "client", bed.Address.ToString()]);

            await bed.NothingLeftAsync();
        }
        finally
        {
            server.StandardInput.Close();
            await server.WaitForExitAsync();
        }
    }

    private static string Script([CallerFilePath] string file = "") => Path.Combine(Path.GetDirectoryName(file)!, "grpc_peer.py");
}
