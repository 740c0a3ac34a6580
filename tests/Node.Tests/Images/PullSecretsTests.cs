using System.Text;
using Weft.Api.Core;
using Weft.Node.Images;

namespace Weft.Node.Tests.Images;

public sealed class PullSecretsTests
{
    private static Secret Json(string text) => new() { Type = "kubernetes.io/dockerconfigjson", Data = new Dictionary<string, byte[]> { [".dockerconfigjson"] = Encoding.UTF8.GetBytes(text) } };

    private static string For(string image, params Secret[] secrets) => string.Join(' ', PullSecrets.For(ImageName.Parse(image)!, secrets).Select(c => $"{c.UserName}:{c.Password}"));

    private static string Auth(string pair) => Convert.ToBase64String(Encoding.UTF8.GetBytes(pair));

    [Theory]
    [InlineData("reg.example.com", "reg.example.com/a", true)]
    [InlineData("https://reg.example.com/", "reg.example.com/a", true)]
    [InlineData("reg.example.com", "reg.example.com:5000/a", false)]
    [InlineData("reg.example.com:5000", "reg.example.com:5000/a", true)]
    [InlineData("*.example.com", "reg.example.com/a", true)]
    [InlineData("*.example.com", "a.reg.example.com/a", false)]
    [InlineData("*.com", "reg.example.com/a", false)]
    [InlineData("example.com", "notexample.com/a", false)]
    [InlineData("reg.example.com/team", "reg.example.com/team/app", true)]
    [InlineData("reg.example.com/team", "reg.example.com/teammate/app", false)]
    [InlineData("https://index.docker.io/v1/", "nginx", true)]
    [InlineData("docker.io", "team/app", true)]
    [InlineData("quay.io", "nginx", false)]
    public void A_credential_is_for_its_registry_alone(string server, string image, bool expected) => Assert.Equal(expected, PullSecrets.Matches(server, ImageName.Parse(image)!));

    [Fact]
    public void Both_forms_are_read_and_the_most_specific_comes_first()
    {
        var wide = Json("""{"auths":{"reg.example.com":{"auth":"AUTH"},"other.example.com":{"username":"no","password":"no"}}}""".Replace("AUTH", Auth("wide:w:1"), StringComparison.Ordinal));
        var narrow = new Secret
        {
            Type = "kubernetes.io/dockercfg",
            Data = new Dictionary<string, byte[]> { [".dockercfg"] = Encoding.UTF8.GetBytes("""{"reg.example.com/team":{"username":"narrow","password":"n"}}""") },
        };

        Assert.Equal("narrow:n wide:w:1", For("reg.example.com/team/app", wide, narrow));
        Assert.Equal("wide:w:1", For("reg.example.com/app", wide, narrow));
        Assert.Equal("", For("quay.io/app", wide, narrow));
    }

    [Theory]
    [InlineData("no json")]
    [InlineData("[]")]
    [InlineData("{\"auths\":[]}")]
    [InlineData("{\"auths\":{\"reg.example.com\":{\"auth\":\"%%%\"}}}")]
    [InlineData("{\"auths\":{\"reg.example.com\":{\"auth\":\"bm9jb2xvbg==\"}}}")]
    [InlineData("{\"auths\":{\"reg.example.com\":\"x\"}}")]
    public void What_cannot_be_read_gives_no_credential(string text) => Assert.Equal("", For("reg.example.com/a", Json(text)));

    [Fact]
    public void A_secret_of_another_type_is_no_credential() =>
        Assert.Empty(PullSecrets.Read(new Secret { Type = "Opaque", Data = new Dictionary<string, byte[]> { [".dockerconfigjson"] = Encoding.UTF8.GetBytes("""{"auths":{"a.b":{"username":"u"}}}""") } }));

    [Fact]
    public void A_credential_does_not_print_its_password() => Assert.DoesNotContain("pw", new Weft.Node.Runtime.RegistryCredential("a", "b", "pw").ToString());
}
