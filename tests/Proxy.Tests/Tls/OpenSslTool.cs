using System.Diagnostics;
using Weft.Proxy.Tls.Settings;
using Weft.Testing;

namespace Weft.Proxy.Tests.Tls;

/// <summary>The programs `openssl` and `curl` beside an engine.</summary>
internal sealed class OpenSslTool : IDisposable
{
    private readonly TempDir _directory = new();
    private readonly List<Process> _started = [];

    public string Save(string name, ReadOnlySpan<byte> content)
    {
        var path = Path.Combine(_directory.Path, name);
        File.WriteAllBytes(path, content);
        return path;
    }

    public (string Chain, string Key) Save(string name, TlsCertificate certificate) =>
        (Save(name + ".pem", certificate.ChainPem.Span), Save(name + ".key", certificate.KeyPem));

    public Process Start(string program, params string[] arguments)
    {
        var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
        _started.Add(process);
        return process;
    }

    public void Dispose()
    {
        foreach (var process in _started)
        {
            if (!process.HasExited)
                process.Kill();
            process.WaitForExit();
            process.Dispose();
        }

        _directory.Dispose();
    }
}
