#!/usr/bin/env pwsh
# ./build.ps1 [--target=Name] [--name=value ...]
#
# build.sh for PowerShell (5.1 and later): the same rules, and its comments apply here too. See docs/frosting.md.
$ErrorActionPreference = 'Stop'

$version = if ($env:CakeVersion) { $env:CakeVersion } elseif ($env:CakeToolVersion) { $env:CakeToolVersion } else { '7.0.0' }
$kubectl = if ($env:CakeKubectlVersion) { $env:CakeKubectlVersion } else { '1.1.0' }
$userHome = [Environment]::GetFolderPath('UserProfile')
if ($env:NUGET_PACKAGES) { $env:NUGET_PACKAGES = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($env:NUGET_PACKAGES) }
$packages = if ($env:NUGET_PACKAGES) { $env:NUGET_PACKAGES } else { Join-Path $userHome '.nuget/packages' }
$hosts = Join-Path $PSScriptRoot 'artifacts/build-host'
$absent = Join-Path $hosts ".no-cake-frosting-$version"

function Write-Line([string] $text) { [Console]::Error.WriteLine("build.ps1: $text") }
function Stop-Run([string] $text) { Write-Line $text; $script:code = 1; exit 1 }

# At a prompt, PowerShell turns a,b into a list and -v:quiet into two words.
$words = @()
foreach ($word in $args) {
    $word = if ($word -is [array]) { $word -join ',' } else { "$word" }
    if ($words.Count -and $words[-1] -match '^-[a-z]+:$') { $words[-1] += $word } else { $words += $word }
}

function Get-TextHash([string] $text) {
    $sha = [System.Security.Cryptography.SHA256]::Create()
    try { return [BitConverter]::ToString($sha.ComputeHash([Text.Encoding]::UTF8.GetBytes($text))).Replace('-', '').ToLowerInvariant() }
    finally { $sha.Dispose() }
}

function Test-Folder { return (Test-Path "$packages/cake.frosting/$version/.nupkg.metadata") -and (Test-Path "$packages/cake.kubectl/$kubectl/.nupkg.metadata") }

function Get-Choice {
    if ($env:CakeFrosting) {
        if ($env:CakeFrosting -cnotin @('package', 'compat')) { throw "CakeFrosting must be package or compat, not '$($env:CakeFrosting)'." }
        return @{ Mode = $env:CakeFrosting; Why = 'set by CakeFrosting' }
    }
    $lines = if (Test-Path $absent) { [IO.File]::ReadAllLines($absent) } else { $null }
    if ($null -eq $lines -and (Test-Folder)) { return @{ Mode = 'package'; Why = "Cake.Frosting $version and Cake.Kubectl are in the package folder" } }
    if ($lines.Count -gt 1) { return @{ Mode = 'compat'; Why = "the NuGet feed lacks $($lines[1])" } }
    return @{ Mode = 'compat'; Why = "the NuGet feed could not be queried for Cake.Frosting $version" }
}

function Get-Key([string] $mode, [string] $sdks) {
    $files = @(Get-ChildItem 'build', 'eng', 'src' -Recurse -File | Where-Object { $_.FullName.Substring($PSScriptRoot.Length) -notmatch '[\\/](bin|obj)[\\/]' })
    $files += @(Get-ChildItem 'samples' -File -Filter '*.schema.json' -ErrorAction SilentlyContinue)
    $files += @(Get-ChildItem '.' -File -Force | Where-Object { $_.Name -match '^(global\.json|\.editorconfig|nuget\.config|Directory\.(Build|Packages)\..*)$' })
    $lines = @($files | Sort-Object FullName | ForEach-Object { "$($_.FullName) $((Get-FileHash -LiteralPath $_.FullName -Algorithm SHA256).Hash)" })
    return (Get-TextHash ((@('ps1', $mode, $version, $kubectl, $packages, $sdks) + $lines) -join "`n")).Substring(0, 16)
}

# Queries the feed for both packages and their dependencies.
function Find-Packages {
    Remove-Item $absent -Force -ErrorAction SilentlyContinue
    if (-not (Test-Folder)) { Write-Line "querying the NuGet feed for Cake.Frosting $version ..." }
    $language = $env:DOTNET_CLI_UI_LANGUAGE
    $env:DOTNET_CLI_UI_LANGUAGE = 'en'
    $ErrorActionPreference = 'Continue' # What a program writes to stderr must not throw.
    try { $log = & $dotnet restore eng/probe "-p:CakeVersion=$version" "-p:CakeKubectlVersion=$kubectl" --verbosity quiet 2>&1 | Out-String -Width 4096 }
    finally { $env:DOTNET_CLI_UI_LANGUAGE = $language }
    if ($LASTEXITCODE -eq 0) { return }
    if ($log -notmatch 'NU110[123]') { [IO.File]::WriteAllText($absent, "unreachable`n"); return }
    $names = @([regex]::Matches($log, 'NU110[123]: [A-Za-z ]* package ([A-Za-z0-9._-]*[A-Za-z0-9])') | ForEach-Object { $_.Groups[1].Value } | Sort-Object -Unique)
    $lacking = if ($names.Count -eq 0) { "Cake.Frosting $version or Cake.Kubectl $kubectl" }
    elseif ($names -contains 'Cake.Frosting' -or $names -contains 'Cake.Kubectl') {
        ($names | ForEach-Object { if ($_ -eq 'Cake.Frosting') { "$_ $version" } elseif ($_ -eq 'Cake.Kubectl') { "$_ $kubectl" } else { $_ } }) -join ', '
    }
    else { "$($names -join ', '), which Cake.Frosting $version or Cake.Kubectl $kubectl needs" }
    [IO.File]::WriteAllText($absent, "$(Get-Feeds)`n$lacking`n")
}

# Whether the last probe found that this feed lacks a package, and the packages have not appeared since.
function Test-Known { return (Test-Path $absent) -and -not (Test-Folder) -and ([IO.File]::ReadAllLines($absent)[0] -eq (Get-Feeds)) }

function Get-Feeds { return Get-TextHash ((Get-ChildItem '.' -File -Filter 'nuget.config' | ForEach-Object { [IO.File]::ReadAllText($_.FullName) }) -join "`n") }

$dotnet = Get-Command 'dotnet' -CommandType Application -ErrorAction SilentlyContinue | Select-Object -First 1

$code = 130 # The code after Ctrl-C, which skips the assignment below.
Push-Location $PSScriptRoot
try {
    # --- The SDK that global.json requires ---
    $needed = (Get-Content 'global.json' -Raw | ConvertFrom-Json).sdk.version
    $wanted = ($needed -split '\.')[0..1] -join '.'
    $install = "install the .NET SDK $needed or a later $wanted one from https://dotnet.microsoft.com/download/dotnet/$wanted."
    if (-not $dotnet) { Stop-Run "dotnet was not found on PATH: $install" }
    $dotnet = $dotnet.Source
    $sdkFolder = Join-Path (Split-Path $dotnet) 'sdk'
    if (Test-Path $sdkFolder) { $sdks = (Get-ChildItem $sdkFolder -Directory -Filter "$wanted.*" | Sort-Object Name | ForEach-Object Name) -join ' ' }
    else { $sdks = "$(& $dotnet --version)" }
    if (-not $sdks) { Stop-Run "the dotnet on PATH has no SDK that global.json accepts: $install" }

    $choice = Get-Choice
    $key = Get-Key $choice.Mode $sdks
    $program = Join-Path $hosts $key
    if (-not (Test-Path "$program/.used")) {
        New-Item -ItemType Directory -Force $hosts | Out-Null
        & $dotnet --version | Out-Null
        if ($LASTEXITCODE -ne 0) { Stop-Run "the SDKs beside $dotnet are not what global.json accepts: $install" }

        # --- One compilation at a time saves work; each claims its own work folder anyway ---
        $lock = $null
        while (-not $lock) {
            try { $lock = [IO.File]::Open("$hosts/.lock-ps1", 'OpenOrCreate', 'ReadWrite', 'None') } catch [IO.IOException] { Start-Sleep -Milliseconds 200 }
        }
        try {
            if (-not $env:CakeFrosting -and -not (Test-Known)) { Find-Packages }
            $choice = Get-Choice
            $key = Get-Key $choice.Mode $sdks
            $program = Join-Path $hosts $key
            if (-not (Test-Path "$program/.used")) {
                $work = Join-Path $hosts "work-$([guid]::NewGuid().ToString('N'))"
                New-Item -ItemType Directory $work | Out-Null
                try {
                    Write-Line "compiling the build program with CakeFrosting=$($choice.Mode) ($($choice.Why)); the first time takes about half a minute ..."
                    $before = $env:CakeFrosting
                    $env:CakeFrosting = $choice.Mode
                    try { & $dotnet build build/Build.csproj --configuration Release --artifacts-path $work --no-incremental --verbosity quiet -nologo -tl:off -clp:NoSummary | Tee-Object -Variable log | Out-Null }
                    finally { $env:CakeFrosting = $before }
                    if ($LASTEXITCODE -ne 0) { [Console]::Error.WriteLine(($log | Out-String -Width 4096)); Stop-Run 'the build program does not compile.' }
                    # An advisory or a version that the feed lacks does not stop a build, but a pipeline shows it.
                    if ($env:CI -or $env:TF_BUILD) { @($log) -match 'warning NU(1603|190[0-9])' | Sort-Object -Unique | ForEach-Object { [Console]::Error.WriteLine($_) } }
                    if ((Get-Key $choice.Mode $sdks) -ne $key) { Stop-Run 'the sources changed while the build program was compiled; run it again.' }
                    New-Item -ItemType File "$work/bin/Build/release/.used" | Out-Null
                    if (-not (Test-Path $program)) { Move-Item "$work/bin/Build/release" $program }
                }
                finally { Remove-Item $work -Recurse -Force -ErrorAction SilentlyContinue }
                # Keep five, and what was used in the last two hours: it may still be running.
                Get-ChildItem "$hosts/????????????????/.used" -Force | Sort-Object LastWriteTimeUtc -Descending | Select-Object -Skip 5 |
                    Where-Object { $_.LastWriteTimeUtc -lt [DateTime]::UtcNow.AddHours(-2) } |
                    ForEach-Object { Remove-Item $_.Directory.FullName -Recurse -Force -ErrorAction SilentlyContinue }
            }
        }
        finally { $lock.Dispose() }
    }

    [IO.File]::SetLastWriteTimeUtc("$program/.used", [DateTime]::UtcNow)
    $code = 0
}
catch { Write-Line $_.Exception.Message; $code = 1 }
finally {
    Pop-Location
    if ($code -ne 0) { exit $code }
}

# In the caller's directory: relative paths count from there. After Ctrl-C only "finally" runs, once the program has ended.
try { & $dotnet "$program/Build.dll" @words }
finally { exit $LASTEXITCODE }
