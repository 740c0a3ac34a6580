using System.Diagnostics;
using System.Net;
using System.Net.Http;
using System.Net.Sockets;

namespace Weft.Testing;

/// <summary>Debian's docker-registry on a loopback port, with its storage in a temporary directory: a registry that is not Weft's. Images come into it by skopeo.</summary>
public sealed class DockerRegistry : IAsyncDisposable
{
    private readonly TempDir _directory;
    private readonly Process _process;

    private DockerRegistry(Process process, TempDir directory, int port) => (_process, _directory, Port) = (process, directory, port);

    public int Port { get; }

    /// <summary>Host and port, as an image's name begins.</summary>
    public string Host => $"127.0.0.1:{Port}";

    /// <param name="userAndPassword">`user:password` that everybody needs; null: nobody does. Apache's htpasswd must be there for it.</param>
    public static async Task<DockerRegistry> StartAsync(string? userAndPassword = null)
    {
        // The port is chosen before the registry starts: somebody else may get it in between, so that there are some tries.
        for (var attempt = 1; ; attempt++)
        {
            var port = FreePort();
            var directory = new TempDir();
            var auth = userAndPassword is null ? "" : $"auth:\n  htpasswd:\n    realm: test\n    path: {await HtpasswdAsync(directory, userAndPassword)}\n";
            await File.WriteAllTextAsync(directory.File("config.yml"), $"""
                version: 0.1
                log:
                  level: error
                storage:
                  filesystem:
                    rootdirectory: {directory.File("data")}
                  delete:
                    enabled: true
                http:
                  addr: 127.0.0.1:{port}
                {auth}
                """);
            var process = Process.Start(new ProcessStartInfo("docker-registry", ["serve", directory.File("config.yml")])
            {
                RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false,
            })!;
            process.OutputDataReceived += static (_, _) => { };
            process.BeginOutputReadLine();
            process.ErrorDataReceived += static (_, _) => { };
            process.BeginErrorReadLine();
            var registry = new DockerRegistry(process, directory, port);
            if (await registry.AnswersAsync())
                return registry;
            await registry.DisposeAsync();
            if (attempt == 5)
                throw new InvalidOperationException("docker-registry does not start (apt-get install docker-registry)");
        }
    }

    /// <summary>Brings an OCI archive into it: `nginx:latest` is then `127.0.0.1:PORT/nginx:latest`.</summary>
    /// <param name="name">With tag, without host.</param>
    /// <returns>The full name.</returns>
    public async Task<string> PushAsync(string archive, string name, string? userAndPassword = null)
    {
        string[] credentials = userAndPassword is null ? [] : ["--dest-creds", userAndPassword];
        using var skopeo = Process.Start(new ProcessStartInfo("skopeo",
            ["--insecure-policy", "copy", "--quiet", "--dest-tls-verify=false", .. credentials, "oci-archive:" + archive, $"docker://{Host}/{name}"])
        {
            RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false,
        })!;
        var said = Task.WhenAll(skopeo.StandardOutput.ReadToEndAsync(), skopeo.StandardError.ReadToEndAsync());
        await Eventually.EndsAsync(skopeo.WaitForExitAsync());
        return skopeo.ExitCode == 0 ? $"{Host}/{name}" : throw new InvalidOperationException(string.Join('\n', await said));
    }

    private async Task<bool> AnswersAsync()
    {
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(30) };
        var answers = false;
        await Eventually.TrueAsync(async () =>
        {
            if (_process.HasExited)
                return true;
            try
            {
                using var answer = await http.GetAsync($"http://{Host}/v2/");
                return answers = answer.StatusCode is HttpStatusCode.OK or HttpStatusCode.Unauthorized;
            }
            catch (HttpRequestException)
            {
                return false;
            }
        }, "docker-registry answers");
        return answers;
    }

    // htpasswd -B is bcrypt, the only form that docker-registry reads.
    private static async Task<string> HtpasswdAsync(TempDir directory, string userAndPassword)
    {
        var parts = userAndPassword.Split(':', 2);
        using var htpasswd = Process.Start(new ProcessStartInfo("htpasswd", ["-Bbc", directory.File("htpasswd"), parts[0], parts[1]]) { RedirectStandardError = true, UseShellExecute = false })!;
        await Eventually.EndsAsync(htpasswd.WaitForExitAsync());
        return directory.File("htpasswd");
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _directory.Dispose();
    }
}
