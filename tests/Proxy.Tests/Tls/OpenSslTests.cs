using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Weft.Proxy.Tls;
using Weft.Proxy.Tls.Settings;

namespace Weft.Proxy.Tests.Tls;

/// <summary>Against `openssl s_client`, `openssl s_server` and curl: versions, options and habits that our own client does not have.</summary>
public sealed class OpenSslTests : IDisposable
{
    private const string Answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello";
    private readonly TlsFixture _tls = new();
    private readonly OpenSslTool _tool = new();

    [Theory]
    [InlineData("--tlsv1.2 --tls-max 1.2 --http1.1", "TLSv1.2", "http/1.1")]
    [InlineData("--tlsv1.3 --http1.1", "TLSv1.3", "http/1.1")]
    [InlineData("--no-alpn", "TLSv1.3", null)]
    public async Task Curl_verifies_us_and_gets_its_answer(string options, string version, string? protocol)
    {
        using var server = _tls.Server(new() { Protocols = ["http/1.1"] });
        using var listener = Loopback.Listen();
        var serving = Serve(server, listener);
        var curl = _tool.Start("curl", [
            .. options.Split(' '), "-sS", "--cacert", _tool.Save("ca.pem", _tls.Authority.Pem), "--connect-to", $"::127.0.0.1:{listener.Port()}", "https://a.example/",
        ]);

        var output = await curl.StandardOutput.ReadToEndAsync();

        Assert.Equal(("hello", ""), (output, await curl.StandardError.ReadToEndAsync()));
        var engine = await serving;
        Assert.Equal((version, protocol, "a.example"), (engine.Version, engine.Protocol, engine.ServerName));
    }

    [Theory]
    [InlineData("-tls1", "the peer speaks no version of TLS that is allowed")]
    [InlineData("-tls1_1", "the peer speaks no version of TLS that is allowed")]
    [InlineData("-tls1_2 -cipher AES128-SHA:AES256-SHA", "the peer and this side share no cipher")]
    [InlineData("-tls1_3 -curves X448", "the peer and this side share no group for the key exchange")]
    public async Task What_is_too_old_or_too_weak_is_refused(string options, string reason)
    {
        using var server = _tls.Server();
        using var listener = Loopback.Listen();
        var serving = Serve(server, listener);
        var client = Client(listener, [.. options.Split(' '), "-cipher", options.Contains("-cipher", StringComparison.Ordinal) ? options.Split(' ')[^1] : "ALL:@SECLEVEL=0"]);

        Assert.Equal(reason, (await serving).Error);
    }

    [Fact]
    public async Task Renegotiation_is_refused_and_the_connection_lives()
    {
        using var server = _tls.Server();
        using var listener = Loopback.Listen();
        var serving = Serve(server, listener);
        var client = Client(listener, ["-tls1_2"]);

        await client.StandardInput.WriteAsync("R\n"); // s_client's command for it
        await client.StandardInput.FlushAsync();
        var errors = await client.StandardError.ReadToEndAsync();

        Assert.Contains("no renegotiation", errors, StringComparison.Ordinal);
        Assert.Equal("TLSv1.2", (await serving).Version);
    }

    [Fact]
    public async Task A_key_update_in_the_middle_goes_unnoticed()
    {
        using var server = _tls.Server();
        using var listener = Loopback.Listen();
        var serving = Serve(server, listener);
        var client = Client(listener, ["-tls1_3"]);

        await client.StandardInput.WriteAsync("K\n");
        await client.StandardInput.FlushAsync();
        while (await client.StandardError.ReadLineAsync() is { } line && line != "KEYUPDATE")
        {
        }

        await client.StandardInput.WriteAsync("GET / HTTP/1.1\r\n\r\n");
        await client.StandardInput.FlushAsync();

        Assert.Contains("hello", await client.StandardOutput.ReadToEndAsync(), StringComparison.Ordinal);
        Assert.Null((await serving).Error);
    }

    [Theory]
    [InlineData("-tls1_2")]
    [InlineData("-tls1_3")]
    public async Task Openssl_resumes_its_session(string version)
    {
        using var server = _tls.Server();
        var session = _tool.Save("session", []);
        Assert.False(await Once("-sess_out"));
        Assert.True(await Once("-sess_in"));

        async Task<bool> Once(string option)
        {
            using var listener = Loopback.Listen();
            var serving = Serve(server, listener);
            var client = Client(listener, [version, option, session]);
            await client.StandardInput.WriteAsync("GET / HTTP/1.1\r\n\r\n");
            await client.StandardInput.FlushAsync();
            await client.StandardOutput.ReadToEndAsync();
            return (await serving).Resumed;
        }
    }

    [Fact]
    public async Task Early_data_is_not_taken()
    {
        using var server = _tls.Server();
        var session = _tool.Save("session", []);
        using (var listener = Loopback.Listen())
        {
            var serving = Serve(server, listener);
            var client = Client(listener, ["-tls1_3", "-sess_out", session]);
            await client.StandardInput.WriteAsync("GET / HTTP/1.1\r\n\r\n");
            await client.StandardInput.FlushAsync();
            Assert.Contains("Max Early Data: 0", await client.StandardOutput.ReadToEndAsync(), StringComparison.Ordinal);
            await serving;
        }
    }

    [Theory]
    [InlineData("-tls1_2", "TLSv1.2")]
    [InlineData("-tls1_3", "TLSv1.3")]
    public void As_client_of_s_server(string version, string name)
    {
        using var listener = Loopback.Listen();
        var port = listener.Port();
        listener.Dispose();
        var (chain, key) = _tool.Save("server", _tls.Authority.Issue());
        var server = _tool.Start("openssl", "s_server", "-accept", $"127.0.0.1:{port}", version, "-cert", chain, "-key", key, "-alpn", "h2", "-Verify", "3",
            "-CAfile", _tool.Save("ca.pem", _tls.Authority.Pem), "-verify_return_error", "-rev");
        using var client = _tls.Client(new() { Protocols = ["h2"], Certificate = _tls.Authority.Issue() });
        for (string? line; (line = server.StandardOutput.ReadLine()) is not null && line != "ACCEPT";)
        {
        }

        using var stream = new EngineStream(client.Connect(_tls.Pool, "a.example"), Loopback.Connect(port), _tls.Pool);
        Assert.True(stream.Handshake(), stream.Engine.Error);
        Assert.Equal((name, "h2"), (stream.Engine.Version, stream.Engine.Protocol));
        stream.Write("abcdef\n"u8);
        Assert.Equal("fedcba\n"u8, stream.ReadAtLeast(7));
    }

    public void Dispose()
    {
        _tool.Dispose();
        _tls.Dispose();
    }

    private Process Client(Socket listener, string[] options) => _tool.Start(
        "openssl", ["s_client", "-connect", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{listener.Port()}"), "-servername", "a.example", .. options]);

    /// <summary>One connection: answers when a request's head is there, and ends.</summary>
    private Task<LibSslEngine> Serve(TlsServerContext server, Socket listener) => Task.Run(() =>
    {
        using var stream = new EngineStream(server.Accept(_tls.Pool), listener.Accept(), _tls.Pool);
        if (!stream.Handshake())
            return stream.Engine;
        while (stream.Plaintext.Span.IndexOf("\r\n\r\n"u8) < 0 && stream.Pump())
        {
        }

        if (!stream.Plaintext.IsEmpty)
            stream.Write(Encoding.ASCII.GetBytes(Answer));
        stream.Close();
        while (stream.Pump())
        {
        }

        return stream.Engine;
    });
}
