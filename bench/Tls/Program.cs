using System.Globalization;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Weft.Bench.Tls;
using Weft.Proxy.Tls;
using Weft.Proxy.Tls.Sessions;
using Weft.Proxy.Tls.Settings;
using Weft.Proxy.Transport;

// The engine of libssl against SslStream, both without a socket and on one thread: handshakes, small messages, bulk data. CPU time of both sides together, pairs of
// rounds in turn, medians.   dotnet run -c Release --project bench/Tls [rounds]
var rounds = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 7;
using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
var request = new CertificateRequest("CN=bench", key, HashAlgorithmName.SHA256);
var names = new SubjectAlternativeNameBuilder();
names.AddDnsName("a.example");
request.CertificateExtensions.Add(names.Build());
using var certificate = request.CreateSelfSigned(TimeProvider.System.GetUtcNow().AddDays(-1), TimeProvider.System.GetUtcNow().AddDays(1));
var chain = Encoding.ASCII.GetBytes(certificate.ExportCertificatePem());

var pool = new BufferPool();
using var own = new TlsCertificate(chain, Encoding.ASCII.GetBytes(key.ExportPkcs8PrivateKeyPem()));
var error = "";
if (!TlsServerContext.TryCreate(new() { Hosts = [new() { Certificates = [own] }], Protocols = ["h2"] }, new(TicketKeys.New()), TimeProvider.System, out var server, out error)
    || !TlsClientContext.TryCreate(new() { AuthoritiesPem = chain, Protocols = ["h2"] }, TimeProvider.System, out var client, out error))
{
    Console.Error.WriteLine(error);
    return 1;
}

using var sessions = new TlsSessionCache();
var serverOptions = new SslServerAuthenticationOptions { ServerCertificateContext = SslStreamCertificateContext.Create(certificate, null, offline: true), ApplicationProtocols = [SslApplicationProtocol.Http2] };
var clientOptions = new SslClientAuthenticationOptions
{
    TargetHost = "a.example", ApplicationProtocols = [SslApplicationProtocol.Http2], AllowTlsResume = false, CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
    CertificateChainPolicy = new() { TrustMode = X509ChainTrustMode.CustomRootTrust, CustomTrustStore = { certificate }, RevocationMode = X509RevocationMode.NoCheck },
};

var small = new byte[1024];
var large = new byte[1 << 20];
using var engines = new EngineLink(client, server, pool, null);
await using var streams = await StreamLink.ConnectAsync(clientOptions, serverOptions);

await Compare("full handshake", 200, "us", 1,
    () => { using var link = new EngineLink(client, server, pool, null); return ValueTask.CompletedTask; },
    async () => { await using var link = await StreamLink.ConnectAsync(clientOptions, serverOptions); });
await Compare("resumed handshake (libssl alone)", 200, "us", 1,
    () => { using var link = new EngineLink(client, server, pool, sessions); return ValueTask.CompletedTask; }, null);
await Compare("1 KB there and 1 KB back", 5000, "us", 1,
    () => { engines.Echo(small); return ValueTask.CompletedTask; }, () => streams.EchoAsync(small));
await Compare("1 MB there and 1 MB back, per MB", 30, "us", 2,
    () => { engines.Echo(large); return ValueTask.CompletedTask; }, () => streams.EchoAsync(large));

// Memory of connections that are open and idle: both ends of each are in this process.
var links = new List<EngineLink>();
var before = Environment.WorkingSet;
for (var i = 0; i < 2000; i++)
{
    var link = new EngineLink(client, server, pool, null);
    link.Echo(small);
    links.Add(link);
}

Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{"an idle connection",-36}{(Environment.WorkingSet - before) / 4000.0 / 1024,10:F1} KB a side"));
links.ForEach(l => l.Dispose());
return 0;

async Task Compare(string what, int count, string unit, int parts, Func<ValueTask> libssl, Func<ValueTask>? sslStream)
{
    var (ours, theirs) = (new List<double>(), new List<double>());
    await Measure(libssl, count);
    if (sslStream is not null)
        await Measure(sslStream, count);
    for (var round = 0; round < rounds; round++)
    {
        ours.Add(await Measure(libssl, count) / parts);
        if (sslStream is not null)
            theirs.Add(await Measure(sslStream, count) / parts);
    }

    ours.Sort();
    theirs.Sort();
    var mine = ours[rounds / 2];
    var other = sslStream is null ? "" : string.Create(CultureInfo.InvariantCulture, $"   SslStream {theirs[rounds / 2],8:F1} {unit}   {theirs[rounds / 2] / mine:F2} x");
    Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what,-36}libssl {mine,8:F1} {unit}{other}"));
}

static async Task<double> Measure(Func<ValueTask> action, int count)
{
    var start = Environment.CpuUsage.TotalTime;
    for (var i = 0; i < count; i++)
        await action();
    return (Environment.CpuUsage.TotalTime - start).TotalMicroseconds / count;
}
