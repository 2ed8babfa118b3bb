using System.Text;
using System.Text.RegularExpressions;
using MeshTrust.Checks;
using MeshTrust.Settings;
using MeshTrust.Tests.Verification;
using MeshTrust.Verification;

namespace MeshTrust.Tests.Checks;

/// <summary>The wording of the checks: one golden file pins their messages for the broken meshes and machines of these tests.</summary>
internal sealed partial class MessagesTests
{
    private const UnixFileMode Open = UnixFileMode.UserRead | UnixFileMode.OtherRead;

    // Messages of the platform and its TLS differ between operating systems, and the PEM parser words the defects of a file.
    private static readonly string[] NotOurs = ["the platform", "mutual TLS:", "is damaged: ", "cannot sign certificates: "];

    [Test]
    public void Messages_match_the_golden_file()
    {
        var machine = PreflightReportTests.Spoiled().Select(c => PreflightReport.For((PreflightReading)c.Arguments[0]!)).ToList();
        var trust = CertificateChecksTests.Wrongs().Select(c => (CraftedMesh)c.Arguments[^1]!).Concat(Meshes()).Select(mesh => mesh.Snapshot()).Append(Unconnected())
            .Concat(RemoteSecretChecksTests.Wrongs().Select(c => (TrustSnapshot)c.Arguments[^1]!)).Select(TrustInspection.Inspect).ToList();
        var findings = trust.SelectMany(r => r.Findings).Where(f => !Array.Exists(NotOurs, part => f.Message.Contains(part, StringComparison.Ordinal)));
        var notes = trust.SelectMany(r => r.Checks).Where(c => c.Note is not null).Select(c => $"{c.Id} note: {c.Note}");
        Golden.Compare(
            "tests/MeshTrust.Tests/Checks/messages.golden.txt",
            [
                .. machine.SelectMany(r => r.Problems).Where(p => p.Hint != "Rename it.").Concat(findings).Select(f => Masked(f.ToString())),
                .. machine.Select(r => $"PREFLIGHT {r.Verdict}"),
                .. trust.Select(r => $"RESULT {r.Verdict}"),
                .. notes,
            ]);
    }

    /// <summary>Meshes with something wrong other than a single certificate.</summary>
    private static IEnumerable<CraftedMesh> Meshes()
    {
        var (root, other) = (CraftedCertificate.Root(), CraftedCertificate.Root());
        Dictionary<string, string> Set(CraftedCertificate r, string name, Action<Dictionary<string, string>>? change = null)
        {
            var files = CraftedMesh.Files4(r, CraftedMesh.Intermediate(r, name));
            change?.Invoke(files);
            return files;
        }

        CraftedMesh East(Dictionary<string, string>? files, Func<ClusterParts, ClusterParts>? change = null) => new CraftedMesh().Add("east", files, change);
        Func<ClusterParts, ClusterParts> Publishes(string pem, string ns = "istio-system") => p => p with { RootConfigMaps = [CraftedMesh.Roots("istio-system", root.Pem), CraftedMesh.Roots(ns, pem)] };
        Func<ClusterParts, ClusterParts> Istiod(string pem) => p => p with { RootConfigMaps = [CraftedMesh.Roots("istio-system", pem)] };

        yield return CraftedMesh.Sound("east");
        yield return CraftedMesh.Sound("east", "west");
        yield return CraftedMesh.SoundUnder(root, "east").Add("west", Set(other, "west"));
        yield return CraftedMesh.SoundUnder(root, "east").Add("west", Set(root, "west", f => f["root-cert.pem"] += other.Pem));
        yield return East(null);
        yield return East(null, p => p with { SelfSigned = CraftedMesh.Secret("istio-ca-secret", []) });
        yield return East(Set(root, "east"), p => p with { SelfSigned = CraftedMesh.Secret("istio-ca-secret", []) });
        yield return East(Set(root, "east"), p => p with { Cacerts = CraftedMesh.Secret("cacerts", Set(root, "east"), immutable: true) });
        yield return East(Set(root, "east"), p => p with { Cacerts = null, Unread = [new UnreadObject(SnapshotPart.Cacerts, "secret istio-system/cacerts", "It is forbidden.", "Allow it.")] });
        yield return East(Set(root, "east", f => f["istio-generated"] = ""));
        yield return East(Set(root, "east", f => f["tls.crt"] = f["ca-cert.pem"]));
        yield return East(Set(root, "east", f => f.Remove("ca-key.pem")));
        yield return East(Set(root, "east", f => f["cert-chain.pem"] = ""));
        yield return East(Set(root, "east", f => f["cert-chain.pem"] = root.Pem));
        yield return East(Set(root, "east", f => f["cert-chain.pem"] = root.Pem + f["ca-cert.pem"]));
        yield return East(Set(root, "east", f => f["root-cert.pem"] = other.Pem));
        yield return East(Set(root, "east", f => f["ca-key.pem"] = other.Key.Pkcs8));
        yield return East(Set(root, "east", f => f["root-key.pem"] = root.Key.Pkcs8));
        yield return East(new() { ["ca-cert.pem"] = root.Pem, ["ca-key.pem"] = root.Key.Pkcs8, ["cert-chain.pem"] = root.Pem, ["root-cert.pem"] = root.Pem });
        yield return East(Set(root, "east"), Publishes(other.Pem, "default"));
        yield return East(Set(root, "east"), Istiod(root.Pem));
        yield return East(Set(root, "east"), Istiod(other.Pem));
        yield return East(Set(root, "east", f => f["root-cert.pem"] += other.Pem), Istiod(root.Pem));
        yield return East(Set(other, "east"), Istiod(root.Pem)).Add("west", Set(root, "west"), Istiod(root.Pem));
        var files = Set(root, "shared");
        yield return East(files).Add("west", files);
        var labels = East(Set(root, "east"), p => p with { MeshConfig = CraftedMesh.Map("istio-system", "istio", "mesh", "trustDomain: corp.local\n") });
        labels.Networks["east"] = "network1";
        yield return labels;
        var ambient = CraftedMesh.SoundUnder(root, "east").Add("west", Set(other, "west"));
        ambient.Mode = DataPlaneMode.Ambient;
        yield return ambient;
        var kept = CraftedMesh.SoundUnder(root, "east");
        kept.Files = new TrustStoreSnapshot
        {
            Directory = "certs",
            Directories = new Dictionary<string, UnixFileMode> { ["."] = Open },
            Unread = ["west could not be read."],
            Files = [.. from path in (string[])["root-key.pem", "east/root-key.pem"] select new StoredFile { Path = path, Content = Encoding.ASCII.GetBytes("key"), Mode = Open, TrackedByGit = true }],
        };
        yield return kept;
        var due = CraftedMesh.SoundUnder(root, "east");
        due.Trust = TrustSpec.Default with { RenewBefore = new RenewalThreshold { Remaining = TimeSpan.FromDays(900) } };
        yield return due;
        yield return East(Set(CraftedCertificate.Root(new CraftedSpec { NotAfter = CraftedMesh.Now.AddDays(300) }), "east"));
    }

    /// <summary>Two clusters whose nodes cannot reach each other.</summary>
    private static TrustSnapshot Unconnected() => CraftedMesh.Sound("east", "west").Snapshot() with
    {
        Peers =
        [
            .. from path in Enum.GetValues<PeerPath>()
               select new PeerReading { From = ClusterName.Parse("east"), To = ClusterName.Parse("west"), Path = path, Node = "east-worker", Target = $"<{path}>", Fault = "no route to host" },
        ],
    };

    private static string Masked(string line) => Numbers().Replace(Hex().Replace(Time().Replace(line, "<time>"), "<hex>"), "<n>");

    [GeneratedRegex(@"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\dZ")]
    private static partial Regex Time();

    [GeneratedRegex("[0-9A-Fa-f]{16,}")]
    private static partial Regex Hex();

    [GeneratedRegex(@"\d+(?= d left)|(?<=at line )\d+")]
    private static partial Regex Numbers();
}
