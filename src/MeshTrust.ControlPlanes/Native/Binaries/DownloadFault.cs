namespace MeshTrust.ControlPlanes.Native.Binaries;

/// <summary>Why binaries were not downloaded, in words. Ids MT2102 to MT2110.</summary>
internal static class DownloadFault
{
    private const string Otherwise = "fetch it with 'setup-envtest use', or point KUBEBUILDER_ASSETS at a directory with etcd and kube-apiserver";

    public static MeshTrustException NoSuchVersion(VersionRange range, ControlPlanePlatform platform, string where, IEnumerable<KubernetesVersion> known) => New(
        "MT2102",
        where,
        $"It has no archive for {platform} that matches {range}. It has: {List(known)}.",
        "Ask for one of these with --binaries-version, or build the programs and point KUBEBUILDER_ASSETS at them.");

    public static MeshTrustException Index(Uri index, string why, Exception fault) => New(
        "MT2103", index.ToString(), $"The index of archives cannot be read: {why}.", "Look at the address in a browser; a mirror is named with --binaries-index.", fault);

    public static MeshTrustException Transfer(Uri address, string why, int tries, Exception? fault) => New(
        "MT2104",
        address.ToString(),
        $"It cannot be fetched: {why}{(tries > 1 ? $" ({tries} tries)" : "")}. The store is as it was.",
        $"Look at the network and at HTTPS_PROXY and run again; or {Otherwise}.",
        fault);

    public static MeshTrustException Hash(BinaryArchive archive, string actual) => New(
        "MT2105",
        archive.Address.ToString(),
        $"The archive is not what it should be.\n  SHA-512 expected ({(archive.IsPinned ? "pinned in MeshTrust" : "from the index")}): {archive.Sha512}\n  SHA-512 of what came: {actual}\nNothing of it was unpacked; it is deleted.",
        "Run again; if it stays so, a proxy or somebody else changes what you get: do not use it.");

    public static MeshTrustException Contradiction(BinaryArchive archive, BinaryArchive pin, Uri index) => New(
        "MT2106",
        index.ToString(),
        $"The index gives another SHA-512 for {BinaryArchive.FileName(archive.Version, archive.Platform)} than the one that MeshTrust carries ({pin.Sha512[..16]}...): the archive was replaced. Nothing was fetched.",
        "Ask who replaced it before you use it; take another version with --binaries-version meanwhile.");

    public static MeshTrustException Content(Uri address, string why, Exception? fault = null) => New(
        "MT2107", address.ToString(), $"The archive is none of envtest's: {why}. Nothing of it is left.", "Do not use it; take another version, or another mirror.", fault);

    public static MeshTrustException Held(string path, TimeSpan waited) => New(
        "MT2108", path, $"Another process downloads into this store, and did not end within {waited.TotalSeconds:0} s.", "Let it end, and run again; the lock goes with its process.");

    public static MeshTrustException Offline(VersionRange range, string store, IEnumerable<KubernetesVersion> there, string why) => New(
        "MT2109",
        store,
        $"No version there matches {range} (there: {List(there)}), and {why}.",
        $"Run once without it where there is a network, or copy a version's directory into it; or {Otherwise}.");

    public static MeshTrustException Unfit(string place, string why) => New(
        "MT2110", place, $"{why}.", "Remove it and run again; a file system that is mounted noexec cannot hold the store (XDG_DATA_HOME moves it).");

    private static string List(IEnumerable<KubernetesVersion> versions) => versions.Order().Select(v => v.ToString()).ToList() is { Count: > 0 } texts ? string.Join(", ", texts) : "none";

    private static MeshTrustException New(string id, string place, string what, string remedy, Exception? inner = null) =>
        new(Stage.ClusterCreation, new Problem(id, place, what, remedy), inner);
}
