using Weft.Node.Images;

namespace Weft.Node.Tests.Images;

public sealed class ImageNameTests
{
    private const string Hex = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    [Theory]
    [InlineData("nginx", "docker.io/library/nginx:latest", "Always")]
    [InlineData("nginx:1.27", "docker.io/library/nginx:1.27", "IfNotPresent")]
    [InlineData("team/app", "docker.io/team/app:latest", "Always")]
    [InlineData("index.docker.io/nginx", "docker.io/library/nginx:latest", "Always")]
    [InlineData("quay.io/a/b:latest", "quay.io/a/b:latest", "Always")]
    [InlineData("localhost/a", "localhost/a:latest", "Always")]
    [InlineData("127.0.0.1:5000/a/b_c--d:v1.0_x", "127.0.0.1:5000/a/b_c--d:v1.0_x", "IfNotPresent")]
    [InlineData("[::1]:5000/a:1", "[::1]:5000/a:1", "IfNotPresent")]
    [InlineData("nginx@sha256:" + Hex, "docker.io/library/nginx@sha256:" + Hex, "IfNotPresent")]
    [InlineData("nginx:latest@sha256:" + Hex, "docker.io/library/nginx@sha256:" + Hex, "IfNotPresent")]
    public void A_name_is_completed_as_docker_does(string text, string full, string policy)
    {
        var name = ImageName.Parse(text)!;

        Assert.Equal((full, policy), (name.Full, name.DefaultPullPolicy));
    }

    [Theory]
    [InlineData("")]
    [InlineData(null)]
    [InlineData("Nginx")]
    [InlineData("nginx:")]
    [InlineData("nginx:a b")]
    [InlineData("nginx:.x")]
    [InlineData("a//b")]
    [InlineData("/nginx")]
    [InlineData("nginx/")]
    [InlineData("nginx@sha256:12")]
    [InlineData("nginx@md5:" + Hex)]
    [InlineData("http://quay.io/a")]
    [InlineData("a/../b")]
    [InlineData("nginx\n")]
    [InlineData("-host.io/a")]
    [InlineData(Hex)]
    public void What_is_no_name_is_refused(string? text) => Assert.Null(ImageName.Parse(text));

    [Fact]
    public void A_name_that_is_too_long_is_refused() => Assert.Null(ImageName.Parse("quay.io/" + new string('a', 250)));
}
