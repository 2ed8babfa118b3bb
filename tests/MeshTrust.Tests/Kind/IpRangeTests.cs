using System.Net;
using MeshTrust.Settings;

namespace MeshTrust.Tests.Kind;

public sealed class IpRangeTests
{
    [TestCase("172.18.255.200-172.18.255.240", "172.18.255.200-172.18.255.240", 41)]
    [TestCase(" 172.18.0.1 - 172.18.0.1 ", "172.18.0.1-172.18.0.1", 1)]
    [TestCase("172.18.255.128/26", "172.18.255.128-172.18.255.191", 64)]
    [TestCase("10.1.2.3", "10.1.2.3-10.1.2.3", 1)]
    [TestCase("fd00::/120", "fd00::-fd00::ff", 256)]
    [TestCase("fc00:f853:ccd:e793::255:200-fc00:f853:ccd:e793::255:240", "fc00:f853:ccd:e793::255:200-fc00:f853:ccd:e793::255:240", 65)]
    public void Reads_ranges_networks_and_single_addresses(string text, string shown, int size)
    {
        var range = IpRange.Parse(text);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(range.ToString(), Is.EqualTo(shown));
            Assert.That(range.Size, Is.EqualTo((UInt128)size));
            Assert.That(IpRange.Parse(range.ToString()), Is.EqualTo(range));
        }
    }

    [TestCase("")]
    [TestCase(null)]
    [TestCase("172.18.0.9-172.18.0.1")]
    [TestCase("172.18.0.1-fd00::1")]
    [TestCase("172.18.0.1-172.18.0.2-172.18.0.3")]
    [TestCase("172.18.0.1/16")]
    [TestCase("172.18.999.200-172.18.999.240")]
    [TestCase("10.1")]
    [TestCase("10-20")]
    [TestCase("010.1.2.3")]
    [TestCase("fe80::1%eth0")]
    [TestCase("[fd00::1]")]
    [TestCase("a-b")]
    public void Rejects_an_invalid_range(string? text)
    {
        Assert.That(IpRange.TryParse(text, out var range), Is.False);
        Assert.That(range, Is.Null);
    }

    [Test]
    public void Recognizes_whole_address_families()
    {
        using (Assert.EnterMultipleScope())
        {
            Assert.That(IpRange.Parse("0.0.0.0/0").Size, Is.EqualTo((UInt128)1 << 32));
            Assert.That(IpRange.Parse("0.0.0.0/0").Last, Is.EqualTo(IPAddress.Broadcast));
            Assert.That(IpRange.Parse("::/0").Size, Is.EqualTo(UInt128.MaxValue));
            Assert.That(IpRange.Parse("::/0").Contains(IPAddress.Parse("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")), Is.True);
            Assert.That(IpRange.Parse("::/0").Contains(IPAddress.Parse("1.2.3.4")), Is.False);
        }
    }

    [TestCase("10.0.0.0/8", "10.255.255.255", true)]
    [TestCase("10.0.0.0/8", "11.0.0.0", false)]
    [TestCase("10.0.0.8-10.0.0.9", "10.0.0.7-10.0.0.8", true)]
    [TestCase("10.0.0.8-10.0.0.9", "10.0.0.10/31", false)]
    [TestCase("fd00::/64", "fd00:0:0:1::", false)]
    [TestCase("fd00::/64", "::/0", true)]
    public void Detects_overlaps(string one, string other, bool overlaps)
    {
        Assert.That(IpRange.Parse(one).Overlaps(IpRange.Parse(other)), Is.EqualTo(overlaps));
        Assert.That(IpRange.Parse(other).Overlaps(IpRange.Parse(one)), Is.EqualTo(overlaps));
    }

    [Test]
    public void Rejects_a_start_after_the_end() =>
        Assert.That(() => new IpRange(IPAddress.Parse("10.0.0.2"), IPAddress.Parse("10.0.0.1")), Throws.ArgumentException);
}
