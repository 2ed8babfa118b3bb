using MeshTrust.Kubernetes;

namespace MeshTrust.Tests.Kubernetes;

public sealed class ApiProxyTests
{
    /// <summary>The table of golang.org/x/net/http/httpproxy (proxy_test.go), with the ports of API servers.</summary>
    [TestCase("https://localhost:6443", "", true)]
    [TestCase("https://127.0.0.1:6443", "", true)]
    [TestCase("https://127.0.0.2:6443", "", true)]
    [TestCase("https://[::1]:6443", "", true)]
    [TestCase("https://0.0.0.0:6443", "", false)]
    [TestCase("https://east.example:6443", "", false)]
    [TestCase("https://east.example:6443", "*", true)]
    [TestCase("https://east.example:6443", "a.example, *", true)]
    [TestCase("https://east.example:6443", "example", true)]
    [TestCase("https://east.example:6443", "east.example", true)]
    [TestCase("https://EAST.example:6443", "East.Example", true)]
    [TestCase("https://east.example:6443", ".east.example", false)]
    [TestCase("https://a.east.example:6443", ".east.example", true)]
    [TestCase("https://east.example:6443", "*.example", true)]
    [TestCase("https://example:6443", "*.example", false)]
    [TestCase("https://notexample:6443", "example", false)]
    [TestCase("https://east.example:6443", "east.example:6443", true)]
    [TestCase("https://east.example:6443", "east.example:443", false)]
    [TestCase("https://east.example", "east.example:443", true)]
    [TestCase("https://east.example:6443", ":6443", false)]
    [TestCase("https://east.example:6443", "*.example:6443", true)]
    [TestCase("https://10.1.2.3:6443", "10.0.0.0/8", true)]
    [TestCase("https://10.1.2.3:6443", "10.9.9.9/8", true)]
    [TestCase("https://11.1.2.3:6443", "10.0.0.0/8", false)]
    [TestCase("https://10.1.2.3:6443", "10.1.2.3", true)]
    [TestCase("https://10.1.2.3:6443", "10.1.2.3:6443", true)]
    [TestCase("https://10.1.2.3:6443", "10.1.2.3:443", false)]
    [TestCase("https://10.1.2.3:6443", "3", true)]
    [TestCase("https://[fd00::1]:6443", "fd00::/8", true)]
    [TestCase("https://[fd00::1]:6443", "fd00::1", true)]
    [TestCase("https://[fd00::1]:6443", "[fd00::1]:6443", true)]
    [TestCase("https://[fd00::1]:6443", "[fd00::1]:443", false)]
    [TestCase("https://east.example:6443", "10.0.0.0/8,  , nonsense/", false)]
    public void Exempts_a_server_from_the_proxy_as_go_does(string server, string noProxy, bool isExempt) =>
        Assert.That(ApiProxy.IsExempt(new Uri(server), noProxy), Is.EqualTo(isExempt));

    [TestCase("http://me:p%40ss@proxy.example:3128", "http://proxy.example:3128/", "me", "p@ss")]
    [TestCase("socks5h://proxy.example", "socks5://proxy.example:1080/", null, null)]
    [TestCase("https://me@proxy.example", "https://proxy.example/", "me", "")]
    public void Separates_the_credentials_from_the_address(string text, string address, string? user, string? password)
    {
        var proxy = new ApiProxy(new Uri(text), "HTTPS_PROXY");
        var used = (System.Net.WebProxy)proxy.ToWebProxy();
        var credentials = (System.Net.NetworkCredential?)used.Credentials;
        Assert.That((used.Address!.AbsoluteUri, credentials?.UserName, credentials?.Password), Is.EqualTo((address, user, password)));
        Assert.That(proxy.ToString(), Does.Not.Contain("p%40ss"));
    }
}
