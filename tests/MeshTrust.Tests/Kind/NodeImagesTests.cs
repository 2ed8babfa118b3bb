using MeshTrust.Kind;
using MeshTrust.Settings;

namespace MeshTrust.Tests.Kind;

public sealed class NodeImagesTests
{
    private static NodeImageChoice Choose(string? kubernetes, string? kind, string? image = null) => NodeImages.For(new KindSpec { KubernetesVersion = kubernetes, NodeImage = image }, kind);

    [Test]
    public void Every_row_has_a_tag_of_its_own_minor_version()
    {
        var rows = NodeImages.All.ToList();
        Assert.That(rows, Is.Not.Empty);
        foreach (var release in rows.GroupBy(r => r.Kind))
        {
            var versions = release.Select(r => KindVersion.Read(r.Kubernetes)!).ToList();
            using (Assert.EnterMultipleScope())
            {
                Assert.That(release.Select(r => r.Image), Has.All.Match(@"^kindest/node:v1\.\d+\.\d+@sha256:[0-9a-f]{64}$"));
                Assert.That(release.Select(r => KindVersion.OfImage(r.Image)!.ToString()), Is.EqualTo(release.Select(r => r.Kubernetes)));
                Assert.That(versions, Is.Ordered.Descending, $"kind {release.Key}: newest first");
                Assert.That(versions.DistinctBy(v => v.Minor).Count(), Is.EqualTo(versions.Count));
            }
        }

        Assert.That(rows.Select(r => r.Image).Distinct().Count(), Is.EqualTo(rows.Count));
    }

    [TestCase("0.33.0", "kindest/node:v1.37.0@sha256:a1ed56cf")]
    [TestCase("0.33.1", "kindest/node:v1.37.0@sha256:a1ed56cf")]
    [TestCase("0.32.0", "kindest/node:v1.36.1@sha256:3489c767")]
    [TestCase("v0.31.0", "kindest/node:v1.35.0@sha256:452d707d")]
    [TestCase("0.27.0", "kindest/node:v1.32.2@sha256:f2263459")]
    public void Uses_the_default_of_kind_if_no_version_is_requested(string kind, string image)
    {
        var choice = Choose(null, kind);
        Assert.That(choice.Image, Does.StartWith(image));
        Assert.That(choice.Warnings, Is.Empty);
    }

    [TestCase("1.36", "0.33.0", "kindest/node:v1.36.4@sha256:099e0493")]
    [TestCase("1.35.8", "0.33.0", "kindest/node:v1.35.8@sha256:07b2536e")]
    [TestCase("1.34", "0.33.0", "kindest/node:v1.34.11@sha256:44e222ee")]
    [TestCase("1.35", "0.32.0", "kindest/node:v1.35.5@sha256:ce977ae6")]
    [TestCase("v1.35", "0.31.0", "kindest/node:v1.35.0@sha256:452d707d")]
    [TestCase("1.35.0", "0.31.0", "kindest/node:v1.35.0@sha256:452d707d")]
    [TestCase("1.35.0", "0.32.0", "kindest/node:v1.35.0")]
    [TestCase("1.31", "0.27.0", "kindest/node:v1.31.6@sha256:28b7cbb9")]
    [TestCase("1.20.2", "0.27.0", "kindest/node:v1.20.2")]
    [TestCase("1.36.4", "0.32.0", "kindest/node:v1.36.4")]
    public void Uses_the_image_of_the_release_notes_or_of_the_exact_tag(string kubernetes, string kind, string image)
    {
        var choice = Choose(kubernetes, kind);
        Assert.That(choice.Image, image.Contains('@', StringComparison.Ordinal) ? Does.StartWith(image) : Is.EqualTo(image));
        Assert.That(choice.Refusal, Is.Null);
    }

    [TestCase("1.37", "0.32.0", "MT2401", "up to 1.36")]
    [TestCase("1.38", "0.33.0", "MT2401", "up to 1.37")]
    [TestCase("1.36.1", "0.31.0", "MT2401", "up to 1.35")]
    [TestCase("1.30", "0.32.0", "MT2402", "1.36.1, 1.35.5, 1.34.8, 1.33.12")]
    [TestCase("newest", "0.32.0", "MT2403", "newest")]
    public void Rejects_a_version_without_an_image_for_this_kind_release(string kubernetes, string kind, string id, string words)
    {
        var choice = Choose(kubernetes, kind);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(choice.Image, Is.Null);
            Assert.That(choice.Refusal!.Id, Is.EqualTo(id));
            Assert.That(choice.Refusal.Message, Does.Contain(words));
        }
    }

    [TestCase(null, null, null)]
    [TestCase(null, "0.34.0-alpha+f00", null)]
    [TestCase(null, "0.34.0", null)]
    [TestCase("1.35", "0.34.0", "kindest/node:v1.35.8@sha256:07b2536e")]
    [TestCase("1.38", "0.34.0", "kindest/node:v1.38.0")]
    [TestCase("1.38.2", "0.40.0", "kindest/node:v1.38.2")]
    [TestCase("1.31", "0.20.0", "kindest/node:v1.31.2@sha256:18fbefc2")]
    public void Only_warns_about_an_unknown_kind_release(string? kubernetes, string? kind, string? image)
    {
        var choice = Choose(kubernetes, kind);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(choice.Image, image is null ? Is.Null : Does.StartWith(image));
            Assert.That(choice.Refusal, Is.Null);
            Assert.That(choice.Warnings.Single().Id, Is.EqualTo("MT2404"));
        }
    }

    [TestCase("0.34.0", "1.37.0")]
    [TestCase("1.0.0", "1.37.0")]
    [TestCase("0.20.0", null)]
    [TestCase(null, null)]
    public void Treats_a_newer_kind_as_the_newest_known_release(string? kind, string? version) =>
        Assert.That(Choose(null, kind).KubernetesVersion, Is.EqualTo(version));

    [TestCase("registry.example/kind-node:v1.36.0", "1.36.0")]
    [TestCase("kindest/node:v1.20.2-debian", "1.20.2")]
    [TestCase("localhost:5000/node:v1.35.0@sha256:0123456789abcdef", "1.35.0")]
    [TestCase("localhost:5000/node", null)]
    [TestCase("kindest/node:latest", null)]
    public void Uses_any_explicit_image(string image, string? version)
    {
        var choice = Choose(null, "0.27.0", image);
        Assert.That((choice.Image, choice.KubernetesVersion), Is.EqualTo((image, version)));
        Assert.That(choice.Refusal, Is.Null);
    }
}
