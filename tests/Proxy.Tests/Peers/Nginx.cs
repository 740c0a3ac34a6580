using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Weft.Proxy.Tls.Settings;
using Weft.Testing;

namespace Weft.Proxy.Tests.Peers;

/// <summary>nginx as an endpoint: files, HTTP/1.1 on one port and HTTP/2 without TLS on another.</summary>
internal sealed class Nginx : IAsyncDisposable
{
    private readonly TempDir _directory = new();
    private readonly Process _process;

    private Nginx(IPEndPoint http1, IPEndPoint http2, IPEndPoint https, TlsCertificate? certificate)
    {
        (Http1, Http2, Https) = (http1, http2, https);
        var path = _directory.Path;
        var secure = certificate is null ? "" : $"server {{ listen {https} ssl; ssl_certificate {path}/chain; ssl_certificate_key {path}/key; ssl_protocols TLSv1.2 TLSv1.3; keepalive_timeout 0; location / {{ return 200 \"$ssl_protocol $ssl_session_reused\"; }} }}";
        Directory.CreateDirectory(Path.Combine(path, "site"));
        File.WriteAllText(Path.Combine(path, "nginx.conf"), $$"""
            worker_processes 1;
            daemon off;
            master_process off;
            pid {{path}}/pid;
            error_log stderr crit;
            {{(Environment.IsPrivilegedProcess ? "user root;" : "")}}
            events { worker_connections 512; }
            http {
              access_log off;
              client_body_temp_path {{path}}/body; proxy_temp_path {{path}}/proxy; fastcgi_temp_path {{path}}/fcgi; uwsgi_temp_path {{path}}/uwsgi; scgi_temp_path {{path}}/scgi;
              keepalive_requests 100;
              client_max_body_size 1k;
              server {
                listen {{http1}};
                listen {{http2}} http2;
                root {{path}}/site;
                location /echo { return 200 "$request_method $host $http_x_bed"; }
                location /gone { return 302 /file; }
                location /cut { return 444; }
              }
              {{secure}}
            }
            """);
        if (certificate is not null)
        {
            File.WriteAllBytes(Path.Combine(path, "chain"), certificate.ChainPem.ToArray());
            File.WriteAllBytes(Path.Combine(path, "key"), certificate.KeyPem);
        }

        _process = Process.Start(new ProcessStartInfo("/usr/sbin/nginx", ["-p", path, "-e", "stderr", "-c", Path.Combine(path, "nginx.conf")]) { RedirectStandardError = true })!;
    }

    public IPEndPoint Http1 { get; }

    public IPEndPoint Http2 { get; }

    /// <summary>A connection for each request, answered with the version of TLS and `r` where a session was resumed; there with a certificate only.</summary>
    public IPEndPoint Https { get; }

    public static async Task<Nginx> StartAsync(byte[] file, TlsCertificate? certificate = null)
    {
        var nginx = new Nginx(Free(), Free(), Free(), certificate);
        await File.WriteAllBytesAsync(Path.Combine(nginx._directory.Path, "site", "file"), file);
        await Eventually.TrueAsync(() => IsUpAsync(nginx.Http1));
        return nginx;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _directory.Dispose();
    }

    private static IPEndPoint Free()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return (IPEndPoint)listener.LocalEndpoint;
    }

    private static async Task<bool> IsUpAsync(IPEndPoint address)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(address);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
