<#
.SYNOPSIS
Fetches the published files from the VPS, for the page in web/.
.PARAMETER DeployPortal
Then put the page and the files on a web host, by SFTP.
#>
[CmdletBinding()]
param(
    [string] $OutDir,
    [string] $LocalDir,
    [string] $VpsHost,
    [string] $VpsUser,
    [string] $VpsPort,
    [string] $PortalHost,
    [string] $PortalUser,
    [string] $PortalPort,
    [string] $PortalPath,
    [string] $SshConfig,
    [switch] $DeployPortal
)
. (Join-Path $PSScriptRoot 'connection.ps1')

$from = Get-Setting 'OUT_DIR' $OutDir '/opt/spelar_eu/web/data'
$to = Get-Setting 'LOCAL_DIR' $LocalDir (Join-Path $Root 'web/data')
$vps = Get-Vps $VpsHost $VpsUser $VpsPort $SshConfig
New-Item -ItemType Directory -Force -Path $to | Out-Null
$to = (Resolve-Path $to).Path
$work = New-Work $to
Push-Location $work
try {
    # A file that is not there yet is said, and is no failure; each is complete before it takes its place.
    $names = @(Get-Listed 'output')
    Invoke-Sftp $vps.Secure $vps.Port $vps.Login (@("cd `"$from`"") + @($names | ForEach-Object { "-get `"$_`"" }))
    $fetched = @($names | Where-Object { Test-Path $_ })
    if (-not $fetched) { throw "no published file in ${from}: does the agent run?" }
    foreach ($name in $fetched) { Move-Item -Force $name (Join-Path $to $name) }
    Write-Host "$($fetched.Count) files in $to"

    if ($DeployPortal) {
        $web = Get-Setting 'PORTAL_HOST' $PortalHost ''
        $user = Get-Setting 'PORTAL_USER' $PortalUser ''
        $port = Get-Setting 'PORTAL_PORT' $PortalPort '22'
        $path = Get-Setting 'PORTAL_PATH' $PortalPath ''
        New-Item -ItemType Directory -Path 'data' | Out-Null
        $names | ForEach-Object { Join-Path $to $_ } | Where-Object { Test-Path $_ } | Copy-Item -Destination 'data'
        $page = Get-Listed 'code', 'extra' | Where-Object { $_ -like 'web/*' } | ForEach-Object { Join-Path $Root $_ }
        $page = @($page | Where-Object { Test-Path $_ })
        $page | Copy-Item -Recurse -Destination '.'
        $puts = @('data') + @($page | Split-Path -Leaf) | ForEach-Object { "put -r `"$_`"" }
        Invoke-Sftp $vps.Secure $port "$user@$web" (@("cd `"$path`"") + @($puts))
        Write-Host "the page is in $path on $web"
    }
}
finally {
    Pop-Location
    Remove-Item -Recurse -Force $work
}
