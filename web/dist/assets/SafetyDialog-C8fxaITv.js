import{i as e,o as t,u as n}from"./hooks.module-D_g_er5u.js";import{r,t as i}from"./jsxRuntime.module-WVNwdUTi.js";import{t as a}from"./Dialog-cLOIyioG.js";import{t as o}from"./icons-BAwedAVj.js";var s=`acorn actor alarm album amber angel ankle apple apron arrow atlas bacon badge bagel baker banjo
barn basil beach beard bell bench berry birch bison blade blanket bolt bone book boot bottle
bowl bread brick bridge broom brush bubble bucket butter button cabin cactus camel camera canal
candle canoe carbon carpet carrot castle cattle cedar cello chalk cheese cherry chess chimney
circus clay cliff cloud clover cobra coffee comet copper coral cotton cousin crane crayon
cricket crown curtain daisy desert diamond dinner doctor dolphin donkey door dragon drum duck
eagle east echo eight elbow elephant engine evening fabric falcon farmer feather fence ferry
fiddle finger flag flame flute fossil fountain fox frog fruit galaxy garden garlic ghost giant
ginger giraffe glass glove gold goose grape gravel guitar hammer harbor harp hawk helmet honey
horse hotel house iceberg igloo index insect iron island ivory jacket jaguar jelly jewel jungle
kettle king kitchen kite kiwi koala ladder lamp lemon leopard letter lily lion lizard lobster
magnet mango maple marble market meadow melon metal mirror monkey moon motor mountain mouse
museum music napkin needle nest night noodle north number oasis ocean olive onion orange orbit
otter oven owl oxygen paddle palace panda paper parrot pebble pencil pepper piano pigeon pillow
pilot planet pocket pony potato puzzle pyramid queen quilt rabbit radio rain raven ribbon river
robot rocket saddle salad salmon scarf school shadow sheep silver spider spoon summer sunset
table tiger tomato trumpet tulip tunnel turtle umbrella valley velvet violin volcano wagon
walnut whale window winter wizard yellow zebra`.split(/\s+/),c=6e3;function l({call:s,onClose:l}){var d,f;let{calls:p,settings:m}=r(),{t:h}=m,g=(d=(f=p.session.instruments.sas)==null?void 0:f.state.value)==null?{kind:`none`}:d,_=s.peer.name,[v,y]=e(!1);return t(()=>{let e=setTimeout(()=>y(!0),c);return()=>clearTimeout(e)},[]),i(a,{label:h(`safety.title`),class:`safety`,onEscape:l,children:[i(`header`,{class:`dialog-head`,children:[i(`h2`,{children:h(`safety.title`)}),i(`button`,{type:`button`,class:`round ghost`,"aria-label":h(`media.close`),onClick:l,children:i(o,{name:`close`})})]}),g.kind===`ready`&&i(n,{children:[i(`p`,{children:h(`safety.how`)}),i(u,{sas:g.sas})]}),g.kind===`forged`&&i(`p`,{class:`note bad`,role:`alert`,children:h(`safety.forged`)}),g.kind===`waiting`&&i(`p`,{class:`hint`,children:h(v?`safety.unable`:`safety.waiting`,{name:_})}),g.kind===`none`&&i(`p`,{class:`hint`,children:h(`safety.none`)}),i(`p`,{children:h(`safety.protects`,{name:_})}),i(`p`,{class:`hint`,children:h(`safety.not`)})]})}function u({sas:e}){let{settings:t}=r(),{t:n}=t,a=t.language.value===`en`,o=i(`p`,{class:`sas-words`,lang:`en`,"aria-label":n(`safety.words`),role:`group`,children:e.words.map((e,t)=>i(`span`,{children:s[e]},t))});return i(`div`,{class:`sas ${a?``:`digits-first`}`,children:[a&&o,i(`p`,{class:`sas-digits`,"aria-label":n(`safety.digits`),role:`group`,children:`${e.digits.slice(0,3)} ${e.digits.slice(3)}`}),!a&&o]})}export{l as SafetyDialog};