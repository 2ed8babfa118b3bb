using MeshTrust.Tests.Settings;

namespace MeshTrust.Tests.Live;

/// <summary>
/// Command lines, and one input for each problem that a run must reject before it does anything: Settings.BrokenInputTests has all the inputs.
/// </summary>
internal static class BrokenArguments
{
    /// <summary>What Cake's own command line rejects before any task of MeshTrust runs.</summary>
    private static readonly string[] CakesOwn = ["--=x", "--topology=", "--rootca-cn="];

    public static IEnumerable<BrokenRun> All => [.. CommandLines.Select(OfCake), .. BrokenInput.All.Where(ReachesUs).DistinctBy(input => input.Id).Select(OfTopology)];

    private static readonly string[] CommandLines =
    [
        "--target=Verfy", "--target=", "--target", "--verbosity=loud", "--verbosity", "Verify", "verify now", "-", "-9", "--x", "--tree=maybe", "--dryrun=2",
        "--target=RootCa --exclusive=no", "--Target=NoSuch", "--TARGET=NoSuch", "-T NoSuch", "-- --Target=NoSuch", "-- Verify", "--Target", "--DryRun=2", "-E=no", "--Help=x", "-tRootCa",
    ];

    /// <summary>The host accepts Cake's own options in upper and lower case; and it has a home directory, where a kubeconfig could be.</summary>
    private static bool ReachesUs(BrokenInput input) => input.Id != "MT0018" && input.Arguments != "--merge-kubeconfig";

    private static BrokenRun OfCake(string line) => new($"command line '{line}'", 2, "MT0017") { Arguments = line.Split(' ') };

    private static BrokenRun OfTopology(BrokenInput input) => new(input.Text is null ? input.ToString() : $"{input.File}: {input}", 2, CakesOwn.Contains(input.Arguments) ? "MT0017" : input.Id)
    {
        Arguments = ["--target=RootCa", .. input.Arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries), .. input.Text is null ? Array.Empty<string>() : ["--topology=" + input.File]],
        Environment = TopologySamples.Environment(input.Environment).ToDictionary(v => v.Key, v => (string?)v.Value),
        Files = scratch => { if (input.Text is not null) scratch.Write(input.File, input.Text); },
    };
}
