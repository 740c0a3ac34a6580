using System.Security.Cryptography.X509Certificates;
using Weft.ApiServer.Authentication;
using Weft.ApiServer.Certificates;
using Weft.Testing;

namespace Weft.ApiServer.Tests.Access.Authentication;

public sealed class ClientCertificateTests
{
    [Fact]
    public async Task Requests_that_come_at_once_on_a_new_connection_all_know_its_user()
    {
        using var directory = new TempDir();
        using var pki = ClusterPki.LoadOrCreate(new PkiOptions(Path.Combine(directory.Path, "pki")), TimeProvider.System);
        var authenticator = new ClientCertificateAuthenticator(pki.Authority, TimeProvider.System);
        using var issued = X509Certificate2.CreateFromPem(pki.IssueClient("ann", ["dev"]).CertificatePem);
        const int requests = 4;
        using var together = new Barrier(requests);

        for (var connection = 0; connection < 300; connection++)
        {
            using var certificate = X509CertificateLoader.LoadCertificate(issued.RawDataMemory.Span);
            var users = await Eventually.EndsAsync(Task.WhenAll(Enumerable.Range(0, requests).Select(_ => Task.Factory.StartNew(() =>
            {
                together.SignalAndWait();
                return authenticator.Authenticate(certificate).Name;
            }, TestContext.Current.CancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default))));
            Assert.All(users, user => Assert.Equal("ann", user));
        }
    }
}
